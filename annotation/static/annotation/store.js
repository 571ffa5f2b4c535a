/**
 * The boxes of one frame, what is selected, and every change set that can be undone.
 *
 * A box is a frozen object; a change set lists `{key, before, after}` (null: was not, is no more), so that
 * undo is the same verb read backwards. A suggestion is a box with a score: any change made by a person
 * takes the score away, and undo gives it back. No DOM, no network, no text.
 *
 * Events: "change" {name, changes}, "select" {selection}.
 */

import { createEmitter } from "./emitter.js";
import { readingOrder, rounded } from "./geometry.js";

const DEPTH = 500;

/** Unique key; `crypto.randomUUID` is missing on plain http off localhost, `getRandomValues` is not. */
export function newKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

export const isSuggestion = (box) => box.score !== null && box.score !== undefined;

/** A box drawn by a person. */
export function handmade(rect, label, activity = "") {
  return { key: newKey(), label, activity, ...rounded(rect), score: null, detection: null, source_class: null };
}

/** Do two lists state the same boxes? Keys and order do not matter, a thousandth of a pixel neither. */
export function sameBoxes(a, b) {
  if (a.length !== b.length) return false;
  const line = (box) => {
    const { x, y, w, h } = rounded(box);
    return JSON.stringify([x, y, w, h, box.label, box.activity ?? "", box.score ?? null]);
  };
  const left = a.map(line).sort();
  const right = b.map(line).sort();
  return left.every((value, index) => value === right[index]);
}

/** @param {object[]} initial boxes as the server gave them */
export function createStore(initial = []) {
  const { on, emit } = createEmitter();
  const boxes = new Map(initial.map((box) => [box.key, Object.freeze({ ...box })]));
  const past = [];
  let future = [];
  let selection = [];
  let ordered = null; // boxes in reading order, asked for many times between two changes

  function put(changes, side, name) {
    ordered = null;
    for (const change of changes) {
      if (change[side]) boxes.set(change.key, change[side]);
      else boxes.delete(change.key);
    }
    // What a step touched is what a person looks for: it becomes the selection, before anyone is told.
    const moved = choose(changes.filter((change) => change[side]).map((change) => change.key));
    emit("change", { name, changes });
    if (moved) emit("select", { selection });
  }

  /** Do a change set. `merge` names a run of small steps (arrow keys) that undo takes back at once. */
  function apply(name, changes, merge = null) {
    const real = changes.filter(({ before, after }) => before || after);
    if (!real.length) return false;
    const frozen = real.map(({ key, before, after }) => ({
      key,
      before,
      after: after && Object.freeze({ ...after }),
    }));
    const last = past.at(-1);
    if (merge && last?.merge === merge) {
      const first = new Map(last.changes.map((change) => [change.key, change.before]));
      last.changes = frozen.map((change) => ({ ...change, before: first.get(change.key) }));
    } else {
      past.push({ name, changes: frozen, merge });
      if (past.length > DEPTH) past.shift();
    }
    future = [];
    put(frozen, "after", name);
    return true;
  }

  function step(from, to, side) {
    const done = from.pop();
    if (!done) return null;
    to.push({ ...done, merge: null });
    put(done.changes, side, done.name);
    return done.name;
  }

  /** Close a run of merged steps: the next one is undone on its own. */
  function settle() {
    const last = past.at(-1);
    if (last) last.merge = null;
  }

  function choose(keys) {
    const next = [...new Set(keys)].filter((key) => boxes.has(key));
    if (next.length === selection.length && next.every((key, at) => key === selection[at])) return false;
    selection = next;
    settle();
    return true;
  }

  function select(keys) {
    if (choose(keys)) emit("select", { selection });
  }

  return {
    on,
    select,
    settle,
    /** Boxes in reading order; not to be changed. */
    get boxes() {
      ordered ??= readingOrder(boxes.values());
      return ordered;
    },
    get selection() {
      return selection;
    },
    get selected() {
      return selection.map((key) => boxes.get(key));
    },
    /** Steps that undo can take back. */
    get depth() {
      return past.length;
    },
    get canUndo() {
      return past.length > 0;
    },
    get canRedo() {
      return future.length > 0;
    },
    get: (key) => boxes.get(key) ?? null,

    add(added, name = "add") {
      return apply(name, added.map((box) => ({ key: box.key, before: null, after: box })));
    },

    /** Change boxes by `patch(box) → fields`. A person's change accepts a suggestion. */
    edit(keys, patch, { name = "edit", merge = null } = {}) {
      const changes = [];
      for (const key of keys) {
        const before = boxes.get(key);
        if (!before) continue;
        const after = { ...before, score: null, ...patch(before) };
        if (Object.keys(after).some((field) => after[field] !== before[field]))
          changes.push({ key, before, after });
      }
      return apply(name, changes, merge && `${merge}:${keys.join(" ")}`);
    },

    /** Some out and others in, in one step. */
    swap(keys, added, name) {
      return apply(name, [
        ...keys.map((key) => ({ key, before: boxes.get(key) ?? null, after: null })),
        ...added.map((box) => ({ key: box.key, before: null, after: box })),
      ]);
    },

    remove(keys, name = "remove") {
      return apply(name, keys.map((key) => ({ key, before: boxes.get(key) ?? null, after: null })));
    },

    /** All boxes replaced, in one step that undo takes back (the other side of a conflict was chosen). */
    replace(others, name = "replace") {
      const next = new Map(others.map((box) => [box.key, box]));
      const keys = new Set([...boxes.keys(), ...next.keys()]);
      return apply(
        name,
        [...keys].map((key) => ({
          key,
          before: boxes.get(key) ?? null,
          after: next.get(key) ?? null,
        })),
      );
    },

    undo: () => step(past, future, "before"),
    redo: () => step(future, past, "after"),
  };
}

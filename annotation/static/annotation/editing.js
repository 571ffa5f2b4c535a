/**
 * What a person does to the boxes of the frame shown, as verbs over its store. No DOM, no keys, no network.
 */

import { DIRECTIONS } from "./keys.js";
import { fitInside, minSides, moveRect, readingOrder, resizeRect, rounded } from "./geometry.js";
import { handmade, isSuggestion, newKey } from "./store.js";

/** A box put without dragging: this share of the picture shown, about a person at the shore. */
const CENTRE_SHARE = 0.05;

/**
 * @param {object} given
 * @param {string[]} given.labels  @param {string[]} given.activities  in the order of their digits
 * @param {string} given.active the label whose boxes have an activity
 * @param {() => {store: object, size: {width: number, height: number}, frame: object}} given.here
 */
export function createEditing({ labels, activities, active, here }) {
  const next = { label: labels[0], activity: "" };
  let clipboard = { from: null, boxes: [] };

  const activityFor = (label, activity) => (label === active ? activity : "");

  const fresh = (box) => ({ ...box, key: newKey(), score: null, detection: null, source_class: null });

  function place(boxes, name) {
    const { store } = here();
    const added = store.add(boxes, name);
    if (added) store.select(boxes.map((box) => box.key));
    return added;
  }

  /** Boxes that `store` has not at the very same place. */
  function missing(store, boxes) {
    const near = (a, b) =>
      a.label === b.label && Math.abs(a.x - b.x) < a.w / 4 && Math.abs(a.y - b.y) < a.h / 4;
    return boxes.filter((box) => !store.boxes.some((other) => near(box, other)));
  }

  return {
    next,
    hasActivity: (box) => box.label === active,

    draw(rect) {
      return place([handmade(rect, next.label, activityFor(next.label, next.activity))], "draw");
    },

    /** Put a box without dragging, at `centre` (fractions), square on the screen. */
    addAt(centre, shown) {
      const { size } = here();
      const side = CENTRE_SHARE * Math.min(shown.w * size.width, shown.h * size.height);
      const [w, h] = [side / size.width, side / size.height];
      return this.draw(fitInside({ x: centre.x - w / 2, y: centre.y - h / 2, w, h }, minSides(size)));
    },

    /** Class of the selected boxes, else of the next one. @returns the label, or null */
    label(value, keys = here().store.selection) {
      if (!labels.includes(value)) return null;
      next.label = value;
      here().store.edit(
        keys,
        (box) => ({ label: value, activity: activityFor(value, box.activity) }),
        { name: "label" },
      );
      return value;
    },

    activity(value, keys = here().store.selection) {
      if (value !== "" && !activities.includes(value)) return null;
      next.activity = value;
      const { store } = here();
      const persons = keys.filter((key) => store.get(key)?.label === active);
      store.edit(persons, () => ({ activity: value }), { name: "activity" });
      return value;
    },

    /** Say that suggestions are right, without changing them. */
    accept(keys = here().store.selection) {
      const { store } = here();
      const suggested = keys.filter((key) => isSuggestion(store.get(key)));
      return store.edit(suggested, () => ({}), { name: "accept" });
    },

    /** Exact geometry, in fractions. */
    reshape(key, rect, name = "move") {
      const { store, size } = here();
      return store.edit([key], () => fitInside(rounded(rect), minSides(size)), { name });
    },

    shiftBy(keys, dx, dy) {
      return here().store.edit(keys, (box) => moveRect(box, dx, dy), { name: "move" });
    },

    /** Arrow keys: `pixels` of the picture shown; a run of them is one step of undo. */
    nudge(arrow, pixels) {
      const { store, size } = here();
      const [right, down] = DIRECTIONS[arrow];
      const [dx, dy] = [(right * pixels) / size.width, (down * pixels) / size.height];
      return store.edit(store.selection, (box) => moveRect(box, dx, dy), {
        name: "move",
        merge: "move",
      });
    },

    /** Ctrl and arrows: the right and lower sides follow the arrow. */
    stretch(arrow, pixels) {
      const { store, size } = here();
      const [right, down] = DIRECTIONS[arrow];
      const [dx, dy] = [(right * pixels) / size.width, (down * pixels) / size.height];
      const least = minSides(size);
      const grow = (box) => resizeRect(box, "se", limited(dx, box.w, least.w), limited(dy, box.h, least.h), least);
      return store.edit(store.selection, grow, { name: "resize", merge: "resize" });
    },

    /** Delete, and select the neighbour, so that a run of false boxes goes key by key. */
    remove(keys = here().store.selection) {
      const { store } = here();
      const at = store.boxes.findIndex((box) => keys.includes(box.key));
      if (!store.remove(keys)) return false;
      const neighbour = keys.length === 1 && (store.boxes[at] ?? store.boxes[at - 1]);
      if (neighbour) store.select([neighbour.key]);
      return true;
    },

    copy() {
      const { store, frame } = here();
      const boxes = store.selection.length ? store.selected : store.boxes;
      clipboard = { from: frame.id, boxes };
      return boxes.length;
    },

    /** On another frame at the same place (the camera stands still), on the same one beside it. */
    paste() {
      const { frame, size } = here();
      const aside = clipboard.from === frame.id ? 12 : 0;
      const boxes = clipboard.boxes.map((box) =>
        fresh({ ...box, ...moveRect(box, aside / size.width, aside / size.height) }),
      );
      place(boxes, "paste");
      return boxes.length;
    },

    /** Boxes of the last frame, less those that this frame has at the very same place. */
    copyFrom(boxes) {
      const added = missing(here().store, boxes).map(fresh);
      place(added, "copy");
      return added.length;
    },

    /** The same onto another frame. @returns whether any was missing there */
    copyOnto: (store, boxes) => store.add(missing(store, boxes).map(fresh), "copy"),

    /** Key of the box after (+1) or before (−1) the selected one, or null past the last. */
    neighbour(step) {
      const { store } = here();
      const boxes = readingOrder(store.boxes);
      if (!boxes.length) return null;
      const selected = boxes.findIndex((box) => box.key === store.selection[0]);
      const at = selected < 0 ? (step > 0 ? 0 : boxes.length - 1) : selected + step;
      return boxes[at]?.key ?? null;
    },
  };
}

/** A side shrunk by the keyboard stops at the smallest box; it never turns inside out. */
const limited = (step, length, least) => Math.max(step, least - length);

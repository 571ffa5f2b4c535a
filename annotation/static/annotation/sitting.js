/**
 * One sitting: the frames served, which one is shown, what was decided, and the way back.
 *
 * Each frame is a visit with its own store, so that undo reaches across frames: when a frame has nothing left
 * to undo, the last decision is taken back and its frame shown. No DOM; pictures are asked for, not drawn.
 *
 * Events: "show" {visit}; "waiting" {why: "claiming" | "line"}; "empty" {left}: nothing to be had, `left` frames are
 *   with others; "decided" {visit, verdict}; "reopened" {visit}; "count" {doneToday, left}; "failed" {detail}.
 */

import { createEmitter } from "./emitter.js";
import { createStopwatch } from "./stopwatch.js";
import { createStore } from "./store.js";
import { backOff, LineDown, Refused } from "./sync.js";

/**
 * @param {object} given
 * @param {ReturnType<typeof import("./sync.js").createSync>} given.sync
 * @param {(frame: object) => void} given.prepare loads what showing a frame will need
 * @param {number} given.ahead frames kept ready behind the one shown
 */
export function createSitting({
  sync,
  prepare = () => {},
  ahead = 3,
  stopwatch = createStopwatch,
  timers = { set: (fn, ms) => setTimeout(fn, ms), clear: (id) => clearTimeout(id) },
}) {
  const { on, emit } = createEmitter();
  const visits = [];
  const decisions = []; // visits in the order they were decided
  let current = null;
  let waiting = true; // no frame is shown
  let left = null;
  let dry = false; // the last claim gave nothing
  let claiming = false;
  let failures = 0;

  const open = () => visits.filter((visit) => visit.verdict === null);

  function enter(frame) {
    const known = visits.find((visit) => visit.frame.id === frame.id);
    if (known) return known;
    const unsent = sync.unsent(frame.id);
    const visit = {
      frame,
      store: createStore(unsent ?? frame.boxes),
      recovered: unsent !== null,
      verdict: null,
      takenBack: null, // the verdict that redo gives again
      comment: "",
      watch: stopwatch(),
    };
    visit.store.on("change", () => {
      if (visit.verdict !== null) reopen(visit);
      visit.takenBack = null;
      sync.draft(frame.id, visit.store.boxes);
    });
    visits.push(visit);
    prepare(frame);
    return visit;
  }

  /** Keep `ahead` frames ready; `renew` asks even when none is wanted, to hold the leases. */
  async function refill({ renew = false } = {}) {
    const want = Math.min(Math.max(ahead + 1 - open().length, 0), ahead);
    if (claiming || (!renew && (want === 0 || dry))) return;
    claiming = true;
    try {
      const held = open().map((visit) => visit.frame.id);
      const answer = await sync.claim(want, held);
      failures = 0;
      left = answer.left ?? left;
      if (want > 0) dry = answer.frames.length === 0;
      emit("count", { doneToday: answer.doneToday, left });
      for (const frame of answer.frames) enter(frame);
    } catch (error) {
      if (error instanceof LineDown) {
        failures += 1;
        timers.set(refill, backOff(failures) * 1000);
      } else if (error instanceof Refused) emit("failed", { detail: error.message });
      else throw error;
    } finally {
      claiming = false;
    }
    if (waiting) wait();
  }

  /** Show the first frame to work on, or say why there is none. */
  function wait() {
    waiting = true;
    const visit = open()[0];
    if (visit) show(visit);
    else if (dry) emit("empty", { left: left ?? 0 });
    else emit("waiting", { why: failures ? "line" : "claiming" });
  }

  function show(visit) {
    current?.watch.pause();
    waiting = false;
    current = visit;
    visit.watch.touch();
    emit("show", { visit });
  }

  function advance(from) {
    const start = visits.indexOf(from);
    const after = visits.slice(start + 1).find((visit) => visit.verdict === null);
    from.watch.pause();
    if (after) show(after);
    else wait();
    refill();
  }

  /** Boxes are stated with the verdict "boxes" alone; the others deny or postpone them. */
  function decide(verdict) {
    const visit = current;
    visit.watch.touch();
    // Stated already, and nothing changed since (a change would have taken it back).
    if (visit.verdict === verdict) return advance(visit);
    forget(visit);
    visit.verdict = verdict;
    visit.takenBack = null;
    decisions.push(visit);
    sync.review(visit.frame.id, {
      verdict,
      boxes: verdict === "boxes" ? visit.store.boxes : [],
      seconds: visit.watch.seconds,
      comment: visit.comment,
    });
    emit("decided", { visit, verdict });
    return advance(visit);
  }

  function forget(visit) {
    const at = decisions.indexOf(visit);
    if (at >= 0) decisions.splice(at, 1);
  }

  /** Take a decision back: if it has not left it is withdrawn, else a new one will replace it. */
  function reopen(visit) {
    forget(visit);
    sync.withdraw(visit.frame.id);
    visit.takenBack = visit.verdict;
    visit.verdict = null;
    sync.draft(visit.frame.id, visit.store.boxes);
    emit("reopened", { visit });
  }

  return {
    on,
    decide,
    refill,
    get current() {
      return waiting ? null : current;
    },
    get decided() {
      return decisions.length;
    },

    /** Send what an earlier page left, then claim and show the first frame. */
    async start() {
      emit("waiting", { why: "claiming" });
      await sync.recover();
      await refill();
    },

    /** The visit of a frame, if this sitting has it. */
    visit: (id) => visits.find((visit) => visit.frame.id === id) ?? null,

    show,

    /** A frame whose statement was not taken, or that an earlier page left: shown, to be worked on. */
    async bring(id) {
      const visit =
        visits.find((other) => other.frame.id === id) ?? enter(await sync.frame(id));
      forget(visit);
      visit.verdict = null;
      show(visit);
      return visit;
    },

    /** Let a frame go that cannot be had any more. */
    drop(id) {
      const visit = visits.find((other) => other.frame.id === id);
      if (!visit) return;
      forget(visit);
      visit.verdict = "dropped";
      if (current === visit) advance(visit);
      visits.splice(visits.indexOf(visit), 1);
    },

    /** One frame on (+1) or back (−1) among those of this sitting. @returns whether there was one */
    go(step) {
      const at = current && !waiting ? visits.indexOf(current) : visits.length;
      const visit = visits[at + step];
      if (!visit) return false;
      show(visit);
      return true;
    },

    /** Boxes stated on the frame decided last: the camera stands still, so they often hold again. */
    get lastBoxes() {
      const before = decisions.filter((visit) => visit !== current).at(-1);
      return before?.verdict === "boxes" ? before.store.boxes : [];
    },

    /** @returns what was undone: the name of a step, "decision", or null */
    undo() {
      const here = waiting ? null : current;
      if (here?.verdict === null && here.store.canUndo) return here.store.undo();
      const visit = here?.verdict ? here : decisions.at(-1);
      if (!visit) return null;
      reopen(visit);
      show(visit);
      return "decision";
    },

    redo() {
      if (waiting) return null;
      if (current.store.canRedo && current.verdict === null) return current.store.redo();
      if (!current.takenBack) return null;
      decide(current.takenBack);
      return "decision";
    },
  };
}

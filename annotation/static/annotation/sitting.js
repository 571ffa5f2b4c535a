/**
 * One sitting: the frames served, which one is shown, what was decided, and the way back.
 *
 * Each frame is a visit with its own store, so that undo reaches across frames: when a frame has nothing left
 * to undo, the last decision is taken back and its frame shown. No DOM; pictures are asked for, not drawn.
 *
 * Events: "show" {visit}; "entered" {visit}: it is ready behind the one shown; "waiting" {why: "claiming" | "line"};
 *   "empty" {left, rest}: nothing to be had and why, `left` frames are with others; "decided" {visit, verdict}; "reopened" {visit};
 *   "count" {doneToday, left}; "failed" {detail}.
 */

import { createEmitter } from "./emitter.js";
import { createStopwatch } from "./stopwatch.js";
import { createStore, handmade } from "./store.js";
import { backOff, LineDown, Refused } from "./sync.js";

/** Frames that one claim may ask for. */
const MOST_ASKED = 10;
/** Asked for beyond those that are kept ready, so that not every decision costs a claim. */
const MORE = 3;

/**
 * @param {object} given
 * @param {ReturnType<typeof import("./sync.js").createSync>} given.sync
 * @param {(frame: object) => void} given.prepare loads what showing a frame will need
 * @param {ReturnType<typeof import("./memory.js").createMemory>|null} given.memory what was said before of still things
 * @param {{all(): any[], put(entry: object): any, remove(id: any): any}|null} given.notes words not stated yet, kept by frame
 * @param {number} given.ahead frames kept ready behind the one shown
 */
export function createSitting({
  sync,
  prepare = () => {},
  memory = null,
  notes = null,
  ahead = 3,
  stopwatch = createStopwatch,
  timers = { set: (fn, ms) => setTimeout(fn, ms), clear: (id) => clearTimeout(id) },
}) {
  const { on, emit } = createEmitter();
  const visits = [];
  const decisions = []; // visits in the order they were decided
  const spreads = []; // boxes put on many frames at once: {from, depth, parts: [{visit, depth}]}
  let current = null;
  let waiting = true; // no frame is shown
  let left = null;
  let rest = null; // why there is nothing, in words
  let dry = false; // the last claim gave nothing
  let sure = false; // … and was made when all that was decided had arrived
  let claiming = false;
  let failures = 0;
  let again = null; // the next trial while the line is down

  const noted = new Map((notes?.all() ?? []).map(({ id, words }) => [id, words]));

  const open = () => visits.filter((visit) => visit.verdict === null);

  /** A note leaves with a statement; until then a reload must find it. */
  function keepNote({ frame: { id }, comment, verdict }) {
    try {
      if (comment && verdict === null) notes?.put({ id, words: comment });
      else notes?.remove(id);
    } catch {
      // full or forbidden: this page has it still
    }
  }

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
      comment: noted.get(frame.id) ?? "",
      together: null, // what was decided with it, by one key
      marked: false, // on the contact sheet: not to be confirmed with the others
      left: [], // boxes that were left out, as this person did before
      followed: [], // keys of tents that follow
      watch: stopwatch(),
      told: 0, // seconds of it that were stated
      toldBefore: 0, // … without the last statement
    };
    visit.store.on("change", () => {
      if (visit.verdict !== null) reopen(visit);
      visit.takenBack = null;
      sync.draft(frame.id, visit.store.boxes);
    });
    visits.push(visit);
    // Boxes that were touched before, here or in another tab, are as somebody wants them.
    if (unsent === null && frame.version === 0) propose(visit);
    prepare(frame);
    emit("entered", { visit });
    return visit;
  }

  /** Leave out what was taken away before, and let tents follow: one step, which undo takes back. */
  function propose(visit) {
    if (!memory || visit.verdict !== null || visit.store.depth) return;
    const { out, tents } = memory.proposal(visit.frame, visit.store.boxes);
    const left = out.map((key) => visit.store.get(key));
    const followed = tents.map((tent) => handmade(tent, tent.label));
    visit.store.swap(out, followed, "propose");
    Object.assign(visit, { left, followed: followed.map((box) => box.key) });
    visit.store.select([]);
  }

  /** How many frames more to ask for; the first claim for few, since somebody waits for it. */
  function wanted(here) {
    if (here > ahead) return 0;
    return Math.min(here ? ahead + 1 + MORE - here : ahead, MOST_ASKED);
  }

  /** Keep `ahead` frames ready; `renew` asks even when none is wanted, to hold the leases. */
  async function refill({ renew = false } = {}) {
    const want = wanted(open().length);
    if (claiming || (!renew && (want === 0 || dry))) return;
    claiming = true;
    let refused = false;
    const last = open().length === 0;
    try {
      const held = open().map((visit) => visit.frame.id);
      const answer = await sync.claim(want, held);
      failures = 0;
      left = answer.left ?? left;
      rest = answer.rest ?? null;
      if (want > 0) dry = answer.frames.length === 0;
      sure = dry && last;
      emit("count", { doneToday: answer.doneToday, left });
      for (const frame of answer.frames) enter(frame);
    } catch (error) {
      if (error instanceof LineDown) {
        failures += 1;
        timers.clear(again); // however many ask meanwhile, one trial at a time
        again = timers.set(() => refill({ renew: true }), backOff(failures) * 1000);
      } else if (error instanceof Refused) {
        refused = true;
        emit("failed", { detail: error.message });
      } else throw error;
    } finally {
      claiming = false;
    }
    if (waiting) wait();
    if (failures || refused) return;
    // Frames may have been decided on while this claim was under way.
    if (waiting && !sure) finish();
    else refill();
  }

  /** All is decided: what is left can only be told once the server knows of it. */
  async function finish() {
    await sync.flush();
    await refill({ renew: true });
  }

  /** Show the first frame to work on, or say why there is none. */
  function wait() {
    waiting = true;
    const visit = open()[0];
    if (visit) show(visit);
    else if (dry && sure) emit("empty", { left: left ?? 0, rest });
    else emit("waiting", { why: failures ? "line" : "claiming" });
  }

  function show(visit) {
    current?.watch.pause();
    waiting = false;
    current = visit;
    visit.watch.touch();
    emit("show", { visit });
  }

  /** On to `then`, else to the next frame that is open. */
  function advance(from, then = null) {
    const start = visits.indexOf(from);
    const after = then ?? visits.slice(start + 1).find((visit) => visit.verdict === null);
    from.watch.pause();
    if (!after) sure = false;
    if (after) show(after);
    else wait();
    if (waiting) finish();
    else refill();
  }

  /** Boxes are stated with the verdict "boxes" alone; the others deny or postpone them. */
  function decide(verdict, then = null) {
    const visit = current;
    visit.watch.touch();
    // Stated already, and nothing changed since (a change would have taken it back).
    if (visit.verdict !== verdict) state(visit, verdict, untold(visit));
    open().forEach(propose);
    return advance(visit, then);
  }

  /** Seconds on a frame that no statement has told of: second thoughts are added to the first, not told twice. */
  const untold = ({ watch, told }) => Math.max(Math.round((watch.seconds - told) * 10) / 10, 0);

  function state(visit, verdict, seconds, together = null) {
    forget(visit);
    Object.assign(visit, { verdict, together, takenBack: null, marked: false });
    Object.assign(visit, { told: visit.watch.seconds, toldBefore: visit.told });
    decisions.push(visit);
    keepNote(visit);
    sync.review(visit.frame.id, {
      verdict,
      boxes: verdict === "boxes" ? visit.store.boxes : [],
      seconds,
      comment: visit.comment,
    });
    if (["boxes", "nobody"].includes(verdict)) memory?.learn(visit.frame, verdict === "boxes" ? visit.store.boxes : []);
    emit("decided", { visit, verdict });
  }

  /** Several frames by one key, which one undo takes back. The time spent on them is shared out. */
  function decideEach(pairs, then = null) {
    const together = {};
    current?.watch.touch();
    const spent = pairs.reduce((sum, [visit]) => sum + untold(visit), 0);
    for (const [visit, verdict] of pairs)
      state(visit, verdict, Math.round((spent / pairs.length) * 10) / 10, together);
    // Only now: what somebody confirmed must not change under the key that does it.
    open().forEach(propose);
    return advance(pairs.at(-1)[0], then);
  }

  function forget(visit) {
    const at = decisions.indexOf(visit);
    if (at >= 0) decisions.splice(at, 1);
  }

  /** Take a decision back: if it has not left it is withdrawn, else a new one will replace it. */
  function reopen(visit) {
    forget(visit);
    memory?.forget(visit.frame.id);
    if (sync.withdraw(visit.frame.id)) visit.told = visit.toldBefore;
    visit.takenBack = visit.verdict;
    visit.verdict = null;
    keepNote(visit);
    sync.draft(visit.frame.id, visit.store.boxes);
    emit("reopened", { visit });
  }

  return {
    on,
    decide,
    decideEach,
    refill,
    get visits() {
      return visits;
    },
    /** Keep so many frames ready behind the one shown. */
    keepReady(frames) {
      const more = frames > ahead;
      ahead = frames;
      if (more && !waiting) refill();
    },
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

    /** Words about the frame shown; of one decided on they take the decision back, or they would not leave. */
    note(words) {
      current.comment = words;
      if (current.verdict !== null) reopen(current);
      keepNote(current);
    },

    /** The statement on a frame was not taken: it is open again, and what is shown stays. */
    untaken(id) {
      const visit = visits.find((other) => other.frame.id === id);
      if (!visit) return;
      forget(visit);
      Object.assign(visit, { verdict: null, told: visit.toldBefore });
      emit("reopened", { visit });
      if (waiting) wait();
    },

    /** A frame whose statement was not taken, or that an earlier page left: shown, to be worked on. */
    async bring(id) {
      const visit =
        visits.find((other) => other.frame.id === id) ?? enter(await sync.frame(id));
      forget(visit);
      Object.assign(visit, { verdict: null, told: visit.toldBefore });
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

    /** As far as there are frames, by `step`. @returns whether it went anywhere */
    goBy(step) {
      const at = current && !waiting ? visits.indexOf(current) : visits.length;
      const visit = visits[Math.min(Math.max(at + step, 0), visits.length - 1)];
      if (!visit || visit === current) return false;
      show(visit);
      return true;
    },

    /** The next (+1) or the last (−1) frame that is still to be decided on. */
    goOpen(step) {
      const at = current ? visits.indexOf(current) : visits.length;
      const side = step > 0 ? visits.slice(at + 1) : visits.slice(0, at).reverse();
      const visit = side.find((other) => other.verdict === null);
      if (visit) show(visit);
      return Boolean(visit);
    },

    /** Open frames of the same viewpoint, those behind the one shown first. */
    get alike() {
      const at = visits.indexOf(current);
      const same = (visit) =>
        visit !== current && visit.verdict === null && visit.frame.deployment === current.frame.deployment;
      return [...visits.slice(at + 1), ...visits.slice(0, at)].filter(same);
    },

    /** Change several frames; one undo on the frame shown takes it back. @param {(visit: object) => boolean} change */
    spread(targets, change) {
      const parts = targets.filter(change).map((visit) => ({ visit, depth: visit.store.depth }));
      if (parts.length) spreads.push({ from: current, depth: current.store.depth, parts });
      return parts.length;
    },

    get canUndo() {
      return Boolean(current?.store.canUndo || decisions.length || spreads.length);
    },

    /** Bring back what was left out on the frame shown, and leave it out no more. @returns how many */
    bringBack() {
      const left = current.left.filter((box) => !current.store.get(box.key));
      if (!left.length) return 0;
      memory?.recall(current.frame.place, left);
      current.store.add(left, "restore");
      return left.length;
    },

    /** Boxes stated on the frame decided last: the camera stands still, so they often hold again. */
    get lastBoxes() {
      const before = decisions.filter((visit) => visit !== current).at(-1);
      return before?.verdict === "boxes" ? before.store.boxes : [];
    },

    /**
     * @param {{boxes?: boolean}} given boxes: a change of the frame shown comes before the last decision
     * @returns what was undone: the name of a step, "decision", or null
     */
    undo({ boxes = true } = {}) {
      const here = waiting ? null : current;
      const spread = spreads.at(-1);
      if (boxes && spread?.from === here && here.verdict === null && here.store.depth === spread.depth) {
        spreads.pop();
        for (const { visit, depth } of spread.parts)
          if (visit.verdict === null && visit.store.depth === depth) visit.store.undo();
        return "spread";
      }
      if (boxes && here?.verdict === null && here.store.canUndo) return here.store.undo();
      const visit = here?.verdict ? here : decisions.at(-1);
      if (!visit) return null;
      const { together } = visit;
      const back = together ? decisions.filter((other) => other.together === together) : [visit];
      for (const each of back) reopen(each);
      show(back[0]);
      return "decision";
    },

    redo() {
      if (waiting) return null;
      if (current.store.canRedo && current.verdict === null) return current.store.redo();
      if (!current.takenBack) return null;
      const { together } = current;
      if (!together) decide(current.takenBack);
      else
        decideEach(
          visits
            .filter((visit) => visit.together === together && visit.takenBack)
            .map((visit) => [visit, visit.takenBack]),
        );
      return "decision";
    },
  };
}

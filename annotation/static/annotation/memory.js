/**
 * What a person said once of a still camera's picture, proposed again where it holds: a thing that the machine takes
 * for somebody is left out on the later frames of the deployment, a tent follows through its night.
 *
 * Only where nothing had changed against the still background: who comes and goes says nothing about the place.
 * Proposals only: they are steps that undo takes back, and are shown. It knows this person's own words alone, kept in
 * this browser; what is settled the server itself no longer suggests (detection/deciding.py). No DOM, no network.
 */

import { iou } from "./geometry.js";
import { isSuggestion } from "./store.js";

/** IoU of one thing on two frames, and the one below which a box was taken away and not moved. */
const SAME = 0.4;
const BESIDE = 0.1;
const TENT = "tent";
/** Entries of each kind; the oldest are let go. */
const KEPT = 400;

const sides = ({ label, x, y, w, h }) => ({ label, x, y, w, h });
const among = (boxes, box, least) => boxes.some((other) => other.label === box.label && iou(other, box) >= least);

/** @param {Storage} storage  @param {string} owner */
export function createMemory(storage, owner) {
  const name = `lacs.said.${owner}`;
  let things = []; // {frame, place, label, x, y, w, h}: left out
  let nights = []; // {frame, place, night, at, tents}
  try {
    ({ things, nights } = { things, nights, ...JSON.parse(storage.getItem(name) ?? "{}") });
  } catch {
    // unreadable: nothing was said yet
  }

  function keep() {
    things = things.slice(-KEPT);
    nights = nights.slice(-KEPT);
    try {
      storage.setItem(name, JSON.stringify({ things, nights }));
    } catch {
      // known to this page at least
    }
  }

  function forget(frame) {
    things = things.filter((each) => each.frame !== frame);
    nights = nights.filter((each) => each.frame !== frame);
  }

  return {
    /** A statement on a frame: `boxes` right, or "nobody" (none). */
    learn(frame, boxes) {
      const { id, place, night } = frame;
      forget(id);
      things = things.filter((each) => each.place !== place || !among(boxes, each, SAME));
      for (const box of frame.boxes) {
        if (!isSuggestion(box) || !box.still || among(boxes, box, BESIDE)) continue;
        if (!among(things.filter((each) => each.place === place), box, SAME)) things.push({ frame: id, place, ...sides(box) });
      }
      const tents = boxes.filter((box) => box.label === TENT).map(sides);
      if (night && (tents.length || nights.some((each) => each.place === place && each.night === night)))
        nights.push({ frame: id, place, night, at: frame.captured_at, tents });
      keep();
    },

    /** A statement was taken back. */
    forget(frame) {
      forget(frame);
      keep();
    },

    /** These were brought back: nothing like them is left out any more. */
    recall(place, boxes) {
      things = things.filter((each) => each.place !== place || !among(boxes, each, SAME));
      keep();
    },

    /** What to propose on a frame with `boxes`: keys to leave out, and tents that follow (sides and label). */
    proposal({ place, night, captured_at: at }, boxes) {
      const here = things.filter((each) => each.place === place);
      const out = boxes.filter((box) => isSuggestion(box) && box.still && among(here, box, SAME));
      const apart = (each) => Math.abs(Date.parse(each.at) - Date.parse(at));
      const [nearest] = nights
        .filter((each) => night && each.place === place && each.night === night)
        .sort((a, b) => apart(a) - apart(b));
      const tents = (nearest?.tents ?? []).filter((tent) => !among(boxes, tent, BESIDE));
      return { out: out.map((box) => box.key), tents };
    },
  };
}

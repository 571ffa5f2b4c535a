/**
 * Which boxes lie on the crop sheet and what was said of each, and the part of a picture that shows one. Pure.
 *
 * A crop {visit, key, box} remembers the box as the machine gave it; what was said of it is read from the visit's
 * store. Nothing here states a review: whoever judged all crops of a frame has not yet looked for missed people.
 */

import { clamp } from "./geometry.js";
import { isSuggestion } from "./store.js";

/** A crop shows so many times the longer side of its box, and at least so many pixels of the original. */
const CONTEXT = 3;
const LEAST_SIDE = 96;

/** Suggestions of frames still open, frame by frame; `known` crops stay the objects that they were. */
export function cropsOf(visits, known) {
  const before = new Map(known.map((crop) => [crop.key, crop]));
  return visits
    .filter((visit) => visit.verdict === null)
    .flatMap((visit) => {
      const judged = known.filter((crop) => crop.visit === visit && !isOpen(crop));
      const open = visit.store.boxes
        .filter(isSuggestion)
        .map((box) => before.get(box.key) ?? { visit, key: box.key, box });
      return [...judged, ...open];
    });
}

/** "open", "kept", "changed" (of another class or activity) or "refused". */
export function saidOf({ visit, key, box }) {
  const now = visit.store.get(key);
  if (!now) return "refused";
  if (isSuggestion(now)) return "open";
  return now.label === box.label && now.activity === box.activity ? "kept" : "changed";
}

export const isOpen = (crop) => crop.visit.verdict === null && saidOf(crop) === "open";

/** Label → how many crops of it are open, in the order of `labels`; labels without any are left out. */
export function countsOf(crops, labels) {
  const open = crops.filter(isOpen);
  return new Map(
    labels
      .map((label) => [label, open.filter((crop) => crop.box.label === label).length])
      .filter(([, n]) => n > 0),
  );
}

const rounded = (value) => Math.round(value * 1e5) / 1e5;

/**
 * The part of a frame that shows a box in its surroundings: a square where the frame has room.
 * @param {{width: number, height: number}} frame pixels of the original  @returns rect in fractions
 */
export function regionOf(box, frame) {
  const longer = Math.max(box.w * frame.width, box.h * frame.height);
  const side = Math.max(longer * CONTEXT, LEAST_SIDE);
  const [w, h] = [Math.min(side / frame.width, 1), Math.min(side / frame.height, 1)];
  return {
    x: rounded(clamp(box.x + box.w / 2 - w / 2, 0, 1 - w)),
    y: rounded(clamp(box.y + box.h / 2 - h / 2, 0, 1 - h)),
    w: rounded(w),
    h: rounded(h),
  };
}

/** Address of a region of a picture, as sharp as the original. */
export function addressOf(image, { x, y, w, h }) {
  return `${image}${image.includes("?") ? "&" : "?"}region=${x},${y},${w},${h}`;
}

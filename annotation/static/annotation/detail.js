/**
 * The part of the frame in sight as sharp as the original, once someone zooms so far that it matters.
 *
 * The full picture is never loaded: only the region in sight, after the view has come to rest. It lies over the
 * picture that is there already, so that nothing waits for it.
 */

import { addressOf } from "./cropping.js";
import { shownSize } from "./geometry.js";

const RESTS_MS = 160;
/** Regions end at these fractions of the frame, so that a small step of the view asks for nothing new. */
const GRID = 48;

/** The region in sight, widened to the grid. @param {{x: number, y: number, w: number, h: number}} sight */
export function widened({ x, y, w, h }) {
  const down = (value) => Math.floor(Math.max(value, 0) * GRID) / GRID;
  const up = (value) => Math.ceil(Math.min(value, 1) * GRID) / GRID;
  const round = (value) => Math.floor(value * 1e6) / 1e6;
  const [left, top] = [down(x), down(y)];
  return { x: round(left), y: round(top), w: round(up(x + w) - left), h: round(up(y + h) - top) };
}

/**
 * @param {object} given
 * @param {ReturnType<typeof import("./canvas.js").createCanvas>} given.canvas
 * @param {ReturnType<typeof import("./pictures.js").createPictures>} given.regions
 * @param {() => object|null} given.frame whose picture is plainly shown, if any
 */
export function createDetail({ canvas, regions, frame }) {
  let timer = null;
  let shown = "";

  async function ask() {
    const here = frame();
    if (!here || canvas.view.scale * (devicePixelRatio || 1) <= 1) return;
    const region = widened(canvas.inSight);
    const url = addressOf(here.image, region);
    if (!(region.w > 0 && region.h > 0) || (url === shown && canvas.detailed)) return;
    const entry = await regions.get(url).ready;
    if (entry.state !== "ready" || frame() !== here || addressOf(here.image, widened(canvas.inSight)) !== url) return;
    shown = url;
    canvas.detail(entry.image, region);
  }

  return {
    /** The view or the picture has changed. */
    look() {
      const here = frame();
      clearTimeout(timer);
      if (here && here.width > shownSize(here.width, here.height).width) timer = setTimeout(ask, RESTS_MS);
    },
  };
}

/**
 * Pure geometry of the viewer: fractions and pixels, clamping, hits, handles, zoom and pan.
 *
 * Rect   {x, y, w, h}        fractions of the frame, from its top left; or screen pixels where a name says so
 * Size   {width, height}     pixels of the picture as shown
 * Port   {width, height}     pixels of the viewer
 * View   {scale, x, y}       screen = picture pixel × scale + (x, y)
 *
 * It knows nothing of boxes' meaning, of the DOM or of time.
 */

export const HANDLES = ["nw", "n", "ne", "e", "se", "s", "sw", "w"];
/** Longest side of the pictures that the server shows; one "pixel" of a nudge or a field is one of these. */
export const SHOWN_SIDE = 1600;
/** Screen pixels that one picture pixel may take at most: a swimmer of 6 px is then 72 px tall. */
export const MAX_SCALE = 12;
/** Free border around a zoomed picture, so that handles of a box at its edge can be reached. */
const BORDER = 56;
/** A box is never thinner than this many picture pixels: less cannot be seen nor grabbed. */
const MIN_SIDE = 2;

export const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

const round = (value) => Math.round(value * 1e6) / 1e6;

/** Six decimals are a thousandth of a pixel: enough, and equal boxes stay equal after a round trip. */
export const rounded = ({ x, y, w, h }) => ({ x: round(x), y: round(y), w: round(w), h: round(h) });

/** Size of the picture as shown for a frame of `width` × `height` sensor pixels. */
export function shownSize(width, height) {
  const scale = Math.min(1, SHOWN_SIDE / Math.max(width, height));
  return { width: Math.round(width * scale), height: Math.round(height * scale) };
}

/** Smallest box, as fractions. */
export const minSides = (size) => ({ w: MIN_SIDE / size.width, h: MIN_SIDE / size.height });

/** The rectangle between two points of any order, cut at the frame's edges and no smaller than `min`. */
export function rectBetween(a, b, min) {
  const left = clamp(Math.min(a.x, b.x), 0, 1);
  const top = clamp(Math.min(a.y, b.y), 0, 1);
  const right = clamp(Math.max(a.x, b.x), 0, 1);
  const bottom = clamp(Math.max(a.y, b.y), 0, 1);
  return fitInside({ x: left, y: top, w: right - left, h: bottom - top }, min);
}

/** The same rectangle, at least `min` large, moved inside the frame; its size is kept where it fits. */
export function fitInside(rect, min) {
  const w = clamp(rect.w, min.w, 1);
  const h = clamp(rect.h, min.h, 1);
  return rounded({ x: clamp(rect.x, 0, 1 - w), y: clamp(rect.y, 0, 1 - h), w, h });
}

/** Moved by a step, stopped by the frame's edges without being squeezed. */
export function moveRect(rect, dx, dy) {
  return rounded({
    x: clamp(rect.x + dx, 0, 1 - rect.w),
    y: clamp(rect.y + dy, 0, 1 - rect.h),
    w: rect.w,
    h: rect.h,
  });
}

/** The sides named by `handle` ("n", "se", …) moved by a step; a side may pass the opposite one. */
export function resizeRect(rect, handle, dx, dy, min) {
  const [left, w] = moveSides(rect.x, rect.w, handle.includes("w"), handle.includes("e"), dx, min.w);
  const [top, h] = moveSides(rect.y, rect.h, handle.includes("n"), handle.includes("s"), dy, min.h);
  return rounded({ x: left, y: top, w, h });
}

function moveSides(start, length, movesStart, movesEnd, step, least) {
  let low = movesStart ? clamp(start + step, 0, 1) : start;
  let high = movesEnd ? clamp(start + length + step, 0, 1) : start + length;
  if (low > high) [low, high] = [high, low];
  const side = Math.max(high - low, least);
  // The side that was not moved stays where it is, unless the frame's edge leaves no room.
  const from = movesStart && high - low < least ? high - side : low;
  return [clamp(from, 0, 1 - side), side];
}

// ── Fractions and screen ──────────────────────────────────────────────────────────────────────

/** Rect in fractions → rect in screen pixels. */
export function toScreen(view, size, rect) {
  return {
    x: rect.x * size.width * view.scale + view.x,
    y: rect.y * size.height * view.scale + view.y,
    w: rect.w * size.width * view.scale,
    h: rect.h * size.height * view.scale,
  };
}

/** Point in screen pixels → point in fractions; outside the frame it is outside 0…1. */
export function toFraction(view, size, point) {
  return {
    x: (point.x - view.x) / (view.scale * size.width),
    y: (point.y - view.y) / (view.scale * size.height),
  };
}

export const distance = (a, b) => Math.hypot(a.x - b.x, a.y - b.y);

const centre = (rect) => ({ x: rect.x + rect.w / 2, y: rect.y + rect.h / 2 });

export const area = (rect) => rect.w * rect.h;

/** Share that two rects have in common (intersection over union). */
export function iou(a, b) {
  const across = Math.min(a.x + a.w, b.x + b.w) - Math.max(a.x, b.x);
  const down = Math.min(a.y + a.h, b.y + b.h) - Math.max(a.y, b.y);
  if (across <= 0 || down <= 0) return 0;
  const shared = across * down;
  return shared / (area(a) + area(b) - shared);
}

const grown = (rect, by) => ({
  x: rect.x - by,
  y: rect.y - by,
  w: rect.w + 2 * by,
  h: rect.h + 2 * by,
});

const contains = (rect, point) =>
  point.x >= rect.x && point.x <= rect.x + rect.w && point.y >= rect.y && point.y <= rect.y + rect.h;

const overlap = (a, b) => a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;

/** Screen rect widened around its centre so that no side is shorter than `least` pixels. */
export function reachable(rect, least) {
  const w = Math.max(rect.w, least);
  const h = Math.max(rect.h, least);
  const middle = centre(rect);
  return { x: middle.x - w / 2, y: middle.y - h / 2, w, h };
}

/**
 * Keys of the boxes under a point, best first: those that truly hold it, the smallest first (a swimmer
 * before the boat behind), then tiny ones whose widened hit area holds it, the nearest first.
 */
export function hits(boxes, view, size, point, least) {
  const found = [];
  for (const box of boxes) {
    const rect = toScreen(view, size, box);
    if (contains(rect, point)) found.push({ key: box.key, near: 0, order: area(rect) });
    else if (contains(reachable(rect, least), point))
      found.push({ key: box.key, near: 1, order: distance(centre(rect), point) });
  }
  return found.sort((a, b) => a.near - b.near || a.order - b.order).map((hit) => hit.key);
}

/** Centres of the eight handles of a screen rect, on a ring `outset` pixels outside it. */
export function handlePoints(rect, outset) {
  const ring = grown(rect, outset);
  const middle = centre(ring);
  const at = (name) => ({
    name,
    x: name.includes("w") ? ring.x : name.includes("e") ? ring.x + ring.w : middle.x,
    y: name.includes("n") ? ring.y : name.includes("s") ? ring.y + ring.h : middle.y,
  });
  return HANDLES.map(at);
}

/** Name of the handle at a point, or null: the nearest within `reach`, never from inside the box. */
export function handleAt(rect, point, outset, reach) {
  if (contains(grown(rect, outset / 3), point)) return null;
  const near = handlePoints(rect, outset)
    .map((handle) => ({ name: handle.name, away: distance(handle, point) }))
    .reduce((best, handle) => (handle.away < best.away ? handle : best));
  return near.away <= reach ? near.name : null;
}

/** Left to right, then top to bottom: the order in which Tab walks along a shore. */
export function readingOrder(boxes) {
  return [...boxes].sort((a, b) => a.x + a.w / 2 - (b.x + b.w / 2) || a.y - b.y);
}

// ── Zoom and pan ──────────────────────────────────────────────────────────────────────────────

/** The whole picture, centred. */
export function fitView(size, port, margin = 0) {
  const scale = Math.min(
    Math.max(port.width - 2 * margin, 1) / size.width,
    Math.max(port.height - 2 * margin, 1) / size.height,
  );
  return {
    scale,
    x: (port.width - size.width * scale) / 2,
    y: (port.height - size.height * scale) / 2,
  };
}

/** Nearest view that neither loses the picture nor leaves the zoom limits. */
export function clampView(view, size, port) {
  const least = fitView(size, port).scale;
  const scale = clamp(view.scale, least, Math.max(MAX_SCALE, least));
  return {
    scale,
    x: clampOffset(view.x, size.width * scale, port.width),
    y: clampOffset(view.y, size.height * scale, port.height),
  };
}

function clampOffset(offset, length, room) {
  if (length <= room) return (room - length) / 2;
  return clamp(offset, room - length - BORDER, BORDER);
}

/** Zoomed by a factor, the picture point under `point` staying where it is. */
export function zoomAt(view, point, factor, size, port) {
  const least = fitView(size, port).scale;
  const scale = clamp(view.scale * factor, least, Math.max(MAX_SCALE, least));
  const ratio = scale / view.scale;
  return clampView(
    { scale, x: point.x - (point.x - view.x) * ratio, y: point.y - (point.y - view.y) * ratio },
    size,
    port,
  );
}

export function panBy(view, dx, dy, size, port) {
  return clampView({ scale: view.scale, x: view.x + dx, y: view.y + dy }, size, port);
}

/** View after two fingers went from `from` to `to` (pairs of points), starting at `view`. */
export function pinch(view, from, to, size, port) {
  const middle = ([a, b]) => ({ x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 });
  const spread = ([a, b]) => Math.max(distance(a, b), 1);
  const start = middle(from);
  const end = middle(to);
  const moved = { scale: view.scale, x: view.x + end.x - start.x, y: view.y + end.y - start.y };
  return zoomAt(moved, end, spread(to) / spread(from), size, port);
}

/** View that shows a box in its surroundings: centred, its longer side `share` of the viewer. */
export function viewOn(rect, size, port, share = 0.22) {
  const longer = Math.max((rect.w * size.width) / port.width, (rect.h * size.height) / port.height);
  const least = fitView(size, port).scale;
  const scale = clamp(share / longer, least, Math.max(MAX_SCALE, least));
  const middle = centre(rect);
  return clampView(
    {
      scale,
      x: port.width / 2 - middle.x * size.width * scale,
      y: port.height / 2 - middle.y * size.height * scale,
    },
    size,
    port,
  );
}

/** The same zoom, moved just so far that a box lies in the viewer; itself if it does already. */
export function viewShowing(view, rect, size, port, margin = 40) {
  const box = toScreen(view, size, rect);
  const shift = (start, length, room) => {
    if (length + 2 * margin > room) return room / 2 - (start + length / 2);
    return clamp(start, margin, room - margin - length) - start;
  };
  return panBy(view, shift(box.x, box.w, port.width), shift(box.y, box.h, port.height), size, port);
}

/**
 * Where the name of each box may stand without covering any box or other name.
 *
 * @param items  [{key, rect (screen), width, height (of the name), must}] in order of importance
 * @returns Map key → {x, y}; names that find no room are left out unless `must`.
 */
export function placeNames(items, port, gap = 5) {
  const taken = items.map((item) => grown(item.rect, 1));
  const places = new Map();
  for (const [index, item] of items.entries()) {
    const { rect, width, height } = item;
    const inside = (x) => clamp(x, 2, Math.max(port.width - width - 2, 2));
    const spots = [
      { x: inside(rect.x - 2), y: rect.y - gap - height },
      { x: inside(rect.x - 2), y: rect.y + rect.h + gap },
      { x: rect.x + rect.w + gap, y: rect.y + rect.h / 2 - height / 2 },
      { x: rect.x - gap - width, y: rect.y + rect.h / 2 - height / 2 },
    ];
    const free = spots.find((spot) => {
      const name = { ...spot, w: width, h: height };
      return (
        spot.x >= 0 &&
        spot.y >= 0 &&
        spot.x + width <= port.width &&
        spot.y + height <= port.height &&
        taken.every((other, place) => place === index || !overlap(name, other))
      );
    });
    const spot = free ?? (item.must ? { ...spots[0], y: Math.max(spots[0].y, 2) } : null);
    if (!spot) continue;
    places.set(item.key, spot);
    taken.push({ ...spot, w: width, h: height });
  }
  return places;
}

/**
 * Draws one frame: the picture, and over it one SVG in which every box is a node.
 *
 * Geometry goes into SVG attributes in screen pixels, so that lines, names and handles keep their size at any
 * zoom. The only styles set from here are the picture's transform and filter: the picture is an <img> decoded
 * beforehand, since an SVG <image> would be fetched and decoded again when shown. It reads the store and never
 * changes it; pointers are gestures.js.
 */

import {
  area,
  clampView,
  fitView,
  handlePoints,
  hits,
  placeNames,
  reachable,
  toFraction,
  toScreen,
  viewOn,
  viewShowing,
  zoomAt,
  panBy,
} from "./geometry.js";
import { isSuggestion } from "./store.js";

const SVG = "http://www.w3.org/2000/svg";
/** Screen pixels between a box and its line, so that a person of 6 px is not hidden by it. */
const OUTSET = 2.5;
/** Screen pixels between a box and its handles, for a mouse and for a finger. */
const RING = { fine: 11, coarse: 20 };
const NAME_HEIGHT = 17;
const NAME_PADDING = 5;
const GLIDE_MS = 160;

/** A node with attributes. */
function node(name, attributes = {}, parent = null) {
  const element = document.createElementNS(SVG, name);
  set(element, attributes);
  parent?.append(element);
  return element;
}

function set(element, attributes) {
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
}

const pixels = (value) => Math.round(value * 100) / 100;

const frameOf = ({ x, y, w, h }, by = 0) => ({
  x: pixels(x - by),
  y: pixels(y - by),
  width: pixels(Math.max(w + 2 * by, 0)),
  height: pixels(Math.max(h + 2 * by, 0)),
});

/** The outline of a screen rect, as one attribute: of four for each of 900 rects, setting took the longest. */
const outline = ({ x, y, w, h }, by = 0) =>
  `M${pixels(x - by)} ${pixels(y - by)}h${pixels(w + 2 * by)}v${pixels(h + 2 * by)}h${pixels(-w - 2 * by)}z`;

/** An outline with a line through it. */
const crossed = (rect) => `${outline(rect, OUTSET)}M${pixels(rect.x)} ${pixels(rect.y + rect.h)}l${pixels(rect.w)} ${pixels(-rect.h)}`;

/** DOM id of a box's node. */
export const boxId = (key) => `box-${key}`;

/**
 * @param {object} given
 * @param {HTMLElement} given.viewer  @param {HTMLElement} given.layer holds the picture  @param {SVGSVGElement} given.svg
 * @param {(box: object) => string} given.describe what a screen reader says of a box
 * @param {(box: object) => string} given.name what stands beside it
 * @param {() => void} given.onView called when the view was drawn
 */
export function createCanvas({ viewer, layer, svg, describe, name, onView = () => {} }) {
  const groups = Object.fromEntries(
    ["left-out", "boxes", "names", "handles", "guides"].map((part) => [part, node("g", { class: part }, svg)]),
  );
  const guideX = node("line", { class: "guide" }, groups.guides);
  const guideY = node("line", { class: "guide" }, groups.guides);
  const draftLine = node("rect", { class: "draft" }, groups.guides);
  const leftOut = node("path", {}, groups["left-out"]);
  const nodes = new Map();
  const nameNodes = new Map();
  const measured = new Map();
  const still = matchMedia("(prefers-reduced-motion: reduce)");

  let store = null;
  let size = { width: 4, height: 3 };
  let port = { width: 1, height: 1 };
  let view = fitView(size, port);
  let fitted = true;
  let glide = null;
  let queued = false;
  let left = []; // boxes that were left out: faint, and not to be hit
  let sharp = null; // {image, region}: a part of the frame as sharp as the original
  const shown = { boxes: true, names: true, crosshair: false, armed: false };
  /** What a gesture is doing, before it becomes a change: rects by key, and a box being drawn. */
  const ghost = { rects: new Map(), draft: null, pointer: null };

  // ── The view ──────────────────────────────────────────────────────────────────────────────

  function setView(next, { smooth = false } = {}) {
    cancelAnimationFrame(glide);
    glide = null;
    const fit = fitView(size, port);
    fitted = Math.abs(next.scale - fit.scale) < fit.scale * 1e-3;
    if (!smooth || still.matches) {
      view = next;
      draw();
      return;
    }
    const from = view;
    const start = performance.now();
    const step = (now) => {
      const done = Math.min((now - start) / GLIDE_MS, 1);
      const eased = 1 - (1 - done) ** 3;
      const mix = (a, b) => a + (b - a) * eased;
      view = { scale: mix(from.scale, next.scale), x: mix(from.x, next.x), y: mix(from.y, next.y) };
      glide = done < 1 ? requestAnimationFrame(step) : null;
      render();
    };
    glide = requestAnimationFrame(step);
    tell();
  }

  /** Say whether what is drawn is what holds: nothing glides, and no drawing is owed. */
  function tell() {
    viewer.toggleAttribute("data-drawn", glide === null && !queued);
  }

  function measure() {
    const { clientWidth: width, clientHeight: height } = viewer;
    if (!width || (width === port.width && height === port.height)) return;
    port = { width, height };
    set(svg, { viewBox: `0 0 ${width} ${height}` });
    setView(fitted ? fitView(size, port) : clampView(view, size, port));
  }
  new ResizeObserver(measure).observe(viewer);

  // ── Drawing ───────────────────────────────────────────────────────────────────────────────

  function draw() {
    if (queued) return;
    queued = true;
    tell();
    requestAnimationFrame(() => {
      queued = false;
      render();
    });
  }

  const rectOf = (box) => toScreen(view, size, ghost.rects.get(box.key) ?? box);

  function render() {
    for (const image of layer.children) {
      const { x = 0, y = 0 } = image === sharp?.image ? toScreen({ scale: 1, x: 0, y: 0 }, size, sharp.region) : {};
      image.style.transform = `translate(${view.x + x * view.scale}px, ${view.y + y * view.scale}px) scale(${view.scale})`;
    }
    svg.classList.toggle("hidden-boxes", !shown.boxes);
    const boxes = store ? store.boxes : [];
    const selected = new Set(store?.selection ?? []);
    for (const box of boxes) drawBox(box, selected.has(box.key));
    drawNames(boxes, selected);
    drawHandles(boxes.filter((box) => selected.has(box.key)));
    leftOut.setAttribute("d", shown.boxes ? left.map((box) => crossed(toScreen(view, size, box))).join("") : "");
    drawGuides();
    tell();
    onView();
  }

  function drawBox(box, selected) {
    const parts = nodes.get(box.key);
    if (!parts) return;
    const rect = rectOf(box);
    const line = outline(rect, OUTSET);
    const reach = coarse() ? 44 : 24;
    if (parts.drawn !== line || parts.reach !== reach) {
      Object.assign(parts, { drawn: line, reach });
      parts.hit.setAttribute("d", outline(reachable(rect, reach)));
      parts.halo.setAttribute("d", line);
      parts.line.setAttribute("d", line);
    }
    parts.group.classList.toggle("selected", selected);
  }

  function drawNames(boxes, selected) {
    const wanted = shown.boxes
      ? boxes.filter((box) => shown.names || selected.has(box.key))
      : [];
    const items = wanted
      .map((box) => ({
        box,
        key: box.key,
        rect: grow(rectOf(box), selected.has(box.key) && selected.size === 1 ? ring() : OUTSET),
        width: textWidth(name(box)) + 2 * NAME_PADDING,
        height: NAME_HEIGHT,
        must: selected.has(box.key),
      }))
      .filter(({ rect }) => rect.x < port.width && rect.y < port.height && rect.x + rect.w > 0 && rect.y + rect.h > 0)
      .sort((a, b) => Number(b.must) - Number(a.must));
    const places = placeNames(items, port);
    for (const [key, parts] of nameNodes)
      if (!places.has(key)) parts.group.setAttribute("visibility", "hidden");
    for (const { box, key, width, height } of items) {
      const place = places.get(key);
      if (!place) continue;
      const parts = nameOf(box);
      parts.group.setAttribute("visibility", "visible");
      set(parts.plate, frameOf({ ...place, w: width, h: height }));
      set(parts.text, { x: pixels(place.x + NAME_PADDING), y: pixels(place.y + NAME_HEIGHT - 5) });
      parts.group.classList.toggle("selected", selected.has(key));
    }
  }

  /** The node of a name, made when there is first room for it: of 300 names few have any. */
  function nameOf(box) {
    let parts = nameNodes.get(box.key);
    if (!parts) {
      const group = node("g", { class: "name", "aria-hidden": "true" }, groups.names);
      parts = { group, plate: node("rect", { rx: 3, class: "plate" }, group), text: node("text", {}, group), box: null };
      nameNodes.set(box.key, parts);
    }
    if (parts.box !== box) {
      parts.box = box;
      parts.group.dataset.label = box.label;
      parts.group.classList.toggle("suggested", isSuggestion(box));
      parts.text.textContent = name(box);
    }
    return parts;
  }

  function drawHandles(selected) {
    const only = shown.boxes && selected.length === 1 ? selected[0] : null;
    const points = only ? handlePoints(rectOf(only), ring()) : [];
    const side = coarse() ? 13 : 9;
    while (groups.handles.children.length > points.length) groups.handles.lastChild.remove();
    for (const [index, point] of points.entries()) {
      const handle =
        groups.handles.children[index] ?? node("rect", { rx: 2, class: "handle" }, groups.handles);
      handle.dataset.handle = point.name;
      set(handle, {
        ...{ x: pixels(point.x - side / 2), y: pixels(point.y - side / 2) },
        ...{ width: side, height: side },
      });
    }
  }

  function drawGuides() {
    const { pointer, draft } = ghost;
    const visible = pointer && (shown.crosshair || shown.armed);
    groups.guides.classList.toggle("crosshair", Boolean(visible));
    if (visible) {
      set(guideX, { x1: 0, x2: port.width, y1: pixels(pointer.y), y2: pixels(pointer.y) });
      set(guideY, { y1: 0, y2: port.height, x1: pixels(pointer.x), x2: pixels(pointer.x) });
    }
    draftLine.setAttribute("visibility", draft ? "visible" : "hidden");
    if (draft) set(draftLine, frameOf(toScreen(view, size, draft), 1));
  }

  const grow = (rect, by) => ({ x: rect.x - by, y: rect.y - by, w: rect.w + 2 * by, h: rect.h + 2 * by });

  function textWidth(text) {
    if (!measured.has(text)) {
      const probe = node("text", { class: "measure" }, groups.names);
      probe.textContent = text;
      measured.set(text, probe.getComputedTextLength());
      probe.remove();
    }
    return measured.get(text);
  }

  /** Nodes follow the store: one group per box, the smallest on top. Those of boxes that went serve for new ones. */
  function sync() {
    const boxes = store ? [...store.boxes].sort((a, b) => area(b) - area(a)) : [];
    const keys = new Set(boxes.map((box) => box.key));
    const spare = [];
    for (const group of groups.boxes.children) {
      const { key } = group.dataset;
      if (keys.has(key)) continue;
      spare.push(nodes.get(key));
      nodes.delete(key);
      nameNodes.get(key)?.group.remove();
      nameNodes.delete(key);
    }
    spare.reverse(); // taken from the end: in the order in which they lie, so that few need to move
    for (const box of boxes) {
      const parts = nodes.get(box.key) ?? give(spare.pop() ?? create(), box.key);
      const { group } = parts;
      if (parts.box !== box) {
        parts.box = box;
        if (group.dataset.label !== box.label) group.dataset.label = box.label;
        if (group.dataset.activity !== box.activity) group.dataset.activity = box.activity;
        group.setAttribute("aria-label", describe(box));
        group.classList.toggle("suggested", isSuggestion(box));
      }
    }
    for (const { group } of spare) group.remove();
    for (const [index, box] of boxes.entries()) {
      const { group } = nodes.get(box.key);
      const there = groups.boxes.children[index];
      if (there !== group) groups.boxes.insertBefore(group, there ?? null);
    }
    draw();
  }

  function create() {
    const group = node("g", { class: "box", role: "img", "data-testid": "box" }, groups.boxes);
    return {
      group,
      hit: node("path", { class: "hit" }, group),
      halo: node("path", { class: "halo" }, group),
      line: node("path", { class: "line" }, group),
      ...{ box: null, drawn: "", reach: 0 },
    };
  }

  function give(parts, key) {
    parts.group.id = boxId(key);
    parts.group.dataset.key = key;
    parts.box = null;
    nodes.set(key, parts);
    return parts;
  }

  // ── Pointers' questions ───────────────────────────────────────────────────────────────────

  let finger = matchMedia("(pointer: coarse)").matches;
  const coarse = () => finger;
  const ring = () => (finger ? RING.coarse : RING.fine);

  return {
    ghost,
    shown,
    draw,
    /** Redraw the nodes from the store. */
    sync,
    get view() {
      return view;
    },
    get size() {
      return size;
    },
    get ring() {
      return ring();
    },
    get fitted() {
      return fitted;
    },
    /** The last pointer was a finger: handles and hit areas grow. */
    set finger(value) {
      if (finger === value) return;
      finger = value;
      draw();
    },

    /** Show a frame's boxes over its picture, whole. */
    show(nextStore, nextSize, image) {
      store = nextStore;
      size = nextSize;
      this.picture(image);
      setView(fitView(size, port));
      sync();
    },

    /** What was left out of the frame's boxes. */
    leftOut(boxes) {
      left = boxes;
      draw();
    },

    /** Put a picture in place (null: none yet); the boxes and the zoom stay. @param over lies on it */
    picture(image, over = null) {
      const images = [image, over].filter(Boolean);
      for (const each of images) Object.assign(each, size);
      sharp = null;
      layer.replaceChildren(...images);
      layer.classList.toggle("difference", over !== null);
      draw();
    },

    /** Put a sharper part of the picture over it. */
    detail(image, region) {
      sharp?.image.remove();
      sharp = { image, region };
      Object.assign(image, { width: region.w * size.width, height: region.h * size.height });
      image.style.width = `${region.w * size.width}px`;
      image.style.height = `${region.h * size.height}px`;
      layer.append(image);
      draw();
    },
    get detailed() {
      return sharp !== null;
    },
    measure,

    /** A screen point of the page → a point of the viewer. */
    local(event) {
      const bounds = viewer.getBoundingClientRect();
      return {
        x: event.clientX - bounds.left - viewer.clientLeft,
        y: event.clientY - bounds.top - viewer.clientTop,
      };
    },
    fraction: (point) => toFraction(view, size, point),
    screen: (rect) => toScreen(view, size, rect),
    hitsAt: (point) => (shown.boxes ? hits(store?.boxes ?? [], view, size, point, finger ? 44 : 24) : []),

    setView,
    /** Stop a glide where it is: nothing moves under the hand. */
    rest: () => glide !== null && setView(view),
    fit: () => setView(fitView(size, port), { smooth: true }),
    zoom(factor, point = { x: port.width / 2, y: port.height / 2 }, smooth = false) {
      setView(zoomAt(view, point, factor, size, port), { smooth });
    },
    panBy: (dx, dy) => setView(panBy(view, dx, dy, size, port)),
    /** Zoom to a box, in its surroundings. */
    zoomTo: (box) => setView(viewOn(box, size, port), { smooth: true }),
    /** Make a box visible; zoom when it is too small to judge. */
    reveal(box, least = 36) {
      const rect = toScreen(view, size, box);
      const small = Math.max(rect.w, rect.h) < least;
      const next = small ? viewOn(box, size, port, 0.12) : viewShowing(view, box, size, port);
      setView(next, { smooth: true });
    },
    get port() {
      return port;
    },
    /** The part of the frame in sight, in fractions. */
    get inSight() {
      const a = toFraction(view, size, { x: 0, y: 0 });
      const b = toFraction(view, size, { x: port.width, y: port.height });
      const [x, y] = [Math.max(a.x, 0), Math.max(a.y, 0)];
      return { x, y, w: Math.min(b.x, 1) - x, h: Math.min(b.y, 1) - y };
    },
  };
}

/**
 * Pointer gestures over the viewer: draw, move, resize, pan, pinch, wheel.
 *
 * One gesture at a time: what it does is shown as a ghost, and becomes one change when the pointer is lifted.
 *   mouse, pen   on a box: move · on a handle: resize · elsewhere: draw · middle button or Space: pan
 *   one finger   on the selected box: move · on a handle: resize · elsewhere: pan · after "+": draw
 *   two fingers  pinch and pan, whatever one finger had begun
 * A tap or click selects; again at the same place, the next box below. It changes boxes through `edit` alone.
 */

import { distance, handleAt, minSides, moveRect, pinch, rectBetween, resizeRect } from "./geometry.js";

/** Screen pixels below which a drag was a click. */
const SLACK = { mouse: 3, pen: 5, touch: 9 };

/**
 * @param {object} given
 * @param {HTMLElement} given.viewer  @param {ReturnType<typeof import("./canvas.js").createCanvas>} given.canvas
 * @param {() => object|null} given.store of the frame shown
 * @param {{draw(rect: object): any, reshape(key: string, rect: object, name: string): any, shiftBy(keys: string[], dx: number, dy: number): any}} given.edit
 * @param {{armed: boolean, panning: boolean}} given.mode shared with the keys: draw at any place; Space is down
 * @param {() => void} given.disarm a box was drawn, or drawing given up
 */
export function attachGestures({ viewer, canvas, store, edit, mode, disarm }) {
  const pointers = new Map();
  let gesture = null;

  // Each maker returns {move(point), end(point), cancel()}, all optional.
  const pan = (start, tap = null) => {
    let last = start;
    let moved = false;
    viewer.classList.add("panning");
    return {
      slack: tap !== null,
      move(point) {
        moved = true;
        canvas.panBy(point.x - last.x, point.y - last.y);
        last = point;
      },
      end: () => !moved && tap?.(),
      done: () => viewer.classList.remove("panning"),
    };
  };

  const drawing = (start) => {
    const from = canvas.fraction(start);
    const least = minSides(canvas.size);
    return {
      slack: true,
      move(point) {
        canvas.ghost.draft = rectBetween(from, canvas.fraction(point), least);
      },
      end() {
        const rect = canvas.ghost.draft;
        if (!rect) {
          store().select([]);
          return;
        }
        edit.draw(rect);
        disarm();
      },
      done: () => (canvas.ghost.draft = null),
    };
  };

  const moving = (start, keys, tap) => {
    const from = canvas.fraction(start);
    let delta = null;
    return {
      slack: true,
      move(point) {
        const to = canvas.fraction(point);
        delta = [to.x - from.x, to.y - from.y];
        for (const key of keys) canvas.ghost.rects.set(key, moveRect(store().get(key), ...delta));
      },
      end() {
        if (delta) edit.shiftBy(keys, ...delta);
        else tap();
      },
      done: () => canvas.ghost.rects.clear(),
    };
  };

  const resizing = (start, key, handle) => {
    const from = canvas.fraction(start);
    const box = store().get(key);
    const least = minSides(canvas.size);
    let rect = null;
    return {
      slack: true,
      move(point) {
        const to = canvas.fraction(point);
        rect = resizeRect(box, handle, to.x - from.x, to.y - from.y, least);
        canvas.ghost.rects.set(key, rect);
      },
      end: () => rect && edit.reshape(key, rect, "resize"),
      done: () => canvas.ghost.rects.clear(),
    };
  };

  const pinching = () => {
    const ids = [...pointers.keys()];
    const points = () => ids.map((id) => pointers.get(id));
    const from = points();
    const view = canvas.view;
    return {
      pair: ids,
      move: () => canvas.setView(pinch(view, from, points(), canvas.size, canvas.port)),
    };
  };

  function choose(event, point) {
    if (event.button === 1 || mode.panning) return pan(point);
    if (event.button !== 0) return null;
    const touch = event.pointerType === "touch";
    const { selection } = store();
    if (mode.armed) return drawing(point);
    if (selection.length === 1 && canvas.shown.boxes) {
      const rect = canvas.screen(store().get(selection[0]));
      const handle = handleAt(rect, point, canvas.ring, touch ? 22 : 9);
      if (handle) return resizing(point, selection[0], handle);
    }
    const found = canvas.hitsAt(point);
    const select = (keys) => store().select(keys);
    if (event.shiftKey || event.ctrlKey || event.metaKey) {
      const [key] = found;
      if (key)
        select(selection.includes(key) ? selection.filter((other) => other !== key) : [...selection, key]);
      return key ? null : drawing(point);
    }
    const held = found.find((key) => selection.includes(key));
    // A tap on the selected box goes to the one below it: boxes may lie on one another.
    const below = () => select([found[(found.indexOf(held) + 1) % found.length]]);
    if (held) return moving(point, selection, below);
    if (touch) return pan(point, () => select(found.slice(0, 1)));
    if (!found.length) return drawing(point);
    select([found[0]]);
    return moving(point, [found[0]], () => {});
  }

  function stop(how, point = null) {
    if (!gesture) return;
    const finished = gesture;
    gesture = null;
    if (how === "end") finished.end?.(point);
    finished.done?.();
    canvas.draw();
  }

  viewer.addEventListener("pointerdown", (event) => {
    if (!store()) return;
    canvas.rest();
    const point = canvas.local(event);
    canvas.finger = event.pointerType === "touch";
    pointers.set(event.pointerId, point);
    viewer.setPointerCapture(event.pointerId);
    if (pointers.size === 2) {
      stop("cancel");
      gesture = pinching();
      return;
    }
    if (pointers.size > 2 || gesture) return;
    gesture = choose(event, point);
    if (gesture) Object.assign(gesture, { start: point, kind: event.pointerType, begun: !gesture.slack });
    if (event.button === 1) event.preventDefault(); // no autoscroll
  });

  viewer.addEventListener("pointermove", (event) => {
    const point = canvas.local(event);
    if (pointers.has(event.pointerId)) pointers.set(event.pointerId, point);
    canvas.ghost.pointer = event.pointerType === "touch" ? null : point;
    if (gesture?.pair) {
      if (gesture.pair.every((id) => pointers.has(id))) gesture.move(point);
    } else if (gesture && pointers.has(event.pointerId)) {
      gesture.begun ||= distance(point, gesture.start) >= SLACK[gesture.kind];
      if (gesture.begun) gesture.move?.(point);
    }
    canvas.draw();
  });

  function lift(event) {
    if (!pointers.delete(event.pointerId)) return;
    stop(event.type === "pointerup" ? "end" : "cancel", canvas.local(event));
  }
  viewer.addEventListener("pointerup", lift);
  viewer.addEventListener("pointercancel", lift);
  viewer.addEventListener("pointerleave", () => {
    canvas.ghost.pointer = null;
    canvas.draw();
  });

  viewer.addEventListener(
    "wheel",
    (event) => {
      event.preventDefault();
      const lines = event.deltaMode === 1 ? 16 : 1;
      // A pinch on a trackpad comes as a wheel with Ctrl, in smaller steps.
      const strength = event.ctrlKey ? 0.01 : 0.0018;
      canvas.zoom(Math.exp(-event.deltaY * lines * strength), canvas.local(event));
    },
    { passive: false },
  );

  return {
    /** Give up what the pointer is doing. @returns whether it was doing anything */
    cancel() {
      const busy = gesture !== null;
      stop("cancel");
      return busy;
    },
  };
}

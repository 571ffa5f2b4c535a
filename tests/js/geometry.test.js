/** Geometry: fractions and pixels, edges, hits, handles, zoom. */

import assert from "node:assert/strict";
import { test } from "node:test";

import * as geometry from "../../annotation/static/annotation/geometry.js";

const SIZE = { width: 1600, height: 1200 };
const PORT = { width: 800, height: 600 };
const MIN = geometry.minSides(SIZE);
const WHOLE = geometry.fitView(SIZE, PORT);

/** Small repeatable pseudo-random numbers. */
function dice(seed) {
  let state = seed;
  return () => {
    state = (state * 1664525 + 1013904223) % 2 ** 32;
    return state / 2 ** 32;
  };
}

function inside({ x, y, w, h }) {
  return x >= 0 && y >= 0 && w > 0 && h > 0 && x + w <= 1.000001 && y + h <= 1.000001;
}

const close = (a, b, by = 1e-6) => assert.ok(Math.abs(a - b) <= by, `${a} is not ${b}`);

test("the picture as shown is never larger than the server's", () => {
  assert.deepEqual(geometry.shownSize(4000, 3000), { width: 1600, height: 1200 });
  assert.deepEqual(geometry.shownSize(3000, 4000), { width: 1200, height: 1600 });
  assert.deepEqual(geometry.shownSize(640, 480), { width: 640, height: 480 });
});

test("a rectangle between two points has them in any order, and ends at the edges", () => {
  const a = { x: 0.7, y: 0.2 };
  const b = { x: 0.3, y: 0.6 };
  const rect = { x: 0.3, y: 0.2, w: 0.4, h: 0.4 };
  assert.deepEqual(geometry.rectBetween(a, b, MIN), rect);
  assert.deepEqual(geometry.rectBetween(b, a, MIN), rect);
  assert.deepEqual(geometry.rectBetween({ x: -3, y: -1 }, { x: 9, y: 2 }, MIN), { x: 0, y: 0, w: 1, h: 1 });
});

test("no step, however large, puts a box outside the frame or makes it vanish", () => {
  const random = dice(7);
  for (let turn = 0; turn < 2000; turn += 1) {
    const rect = geometry.rectBetween(
      { x: random(), y: random() },
      { x: random(), y: random() },
      MIN,
    );
    const [dx, dy] = [random() * 4 - 2, random() * 4 - 2];
    const moved = geometry.moveRect(rect, dx, dy);
    assert.ok(inside(moved), JSON.stringify(moved));
    close(moved.w, rect.w);
    close(moved.h, rect.h);
    for (const handle of geometry.HANDLES) {
      const next = geometry.resizeRect(rect, handle, dx, dy, MIN);
      assert.ok(inside(next), `${handle} ${JSON.stringify(next)}`);
      assert.ok(next.w >= MIN.w - 1e-6 && next.h >= MIN.h - 1e-6);
    }
  }
});

test("resizing moves only the sides that the handle names", () => {
  const rect = { x: 0.4, y: 0.4, w: 0.2, h: 0.2 };
  assert.deepEqual(geometry.resizeRect(rect, "se", 0.1, 0.05, MIN), { x: 0.4, y: 0.4, w: 0.3, h: 0.25 });
  assert.deepEqual(geometry.resizeRect(rect, "nw", 0.1, 0.05, MIN), { x: 0.5, y: 0.45, w: 0.1, h: 0.15 });
  assert.deepEqual(geometry.resizeRect(rect, "n", 0.3, -0.1, MIN), { x: 0.4, y: 0.3, w: 0.2, h: 0.3 });
});

test("a side may pass the opposite one", () => {
  const rect = { x: 0.4, y: 0.4, w: 0.2, h: 0.2 };
  assert.deepEqual(geometry.resizeRect(rect, "e", -0.3, 0, MIN), { x: 0.3, y: 0.4, w: 0.1, h: 0.2 });
});

test("screen and fractions are each other's inverse, at any zoom", () => {
  const random = dice(3);
  for (let turn = 0; turn < 200; turn += 1) {
    const view = geometry.zoomAt(WHOLE, { x: random() * 800, y: random() * 600 }, 1 + random() * 20, SIZE, PORT);
    const point = { x: random(), y: random() };
    const there = geometry.toScreen(view, SIZE, { ...point, w: 0, h: 0 });
    const back = geometry.toFraction(view, SIZE, there);
    close(back.x, point.x);
    close(back.y, point.y);
  }
});

test("zooming keeps the point under the pointer", () => {
  const at = { x: 500, y: 300 };
  const before = geometry.toFraction(WHOLE, SIZE, at);
  const view = geometry.zoomAt(WHOLE, at, 4, SIZE, PORT);
  const after = geometry.toFraction(view, SIZE, at);
  close(view.scale, WHOLE.scale * 4);
  close(after.x, before.x);
  close(after.y, before.y);
});

test("zoom ends at the whole picture and at the largest scale; the picture is never lost", () => {
  assert.equal(geometry.zoomAt(WHOLE, { x: 0, y: 0 }, 0.01, SIZE, PORT).scale, WHOLE.scale);
  const near = geometry.zoomAt(WHOLE, { x: 0, y: 0 }, 1e6, SIZE, PORT);
  assert.equal(near.scale, geometry.MAX_SCALE);
  for (const [dx, dy] of [[1e6, 1e6], [-1e6, -1e6]]) {
    const far = geometry.panBy(near, dx, dy, SIZE, PORT);
    assert.ok(far.x <= PORT.width && far.x + SIZE.width * far.scale >= 0);
    assert.ok(far.y <= PORT.height && far.y + SIZE.height * far.scale >= 0);
  }
});

test("two fingers that spread zoom about their middle", () => {
  const from = [{ x: 350, y: 300 }, { x: 450, y: 300 }];
  const to = [{ x: 300, y: 300 }, { x: 500, y: 300 }];
  const middle = { x: 400, y: 300 };
  const before = geometry.toFraction(WHOLE, SIZE, middle);
  const view = geometry.pinch(WHOLE, from, to, SIZE, PORT);
  close(view.scale, WHOLE.scale * 2);
  close(geometry.toFraction(view, SIZE, middle).x, before.x);
});

test("a tiny box can be hit beside it, and the smallest box that truly holds the point comes first", () => {
  const boxes = [
    { key: "boat", x: 0.4, y: 0.4, w: 0.2, h: 0.2 },
    { key: "swimmer", x: 0.49, y: 0.49, w: 0.02, h: 0.02 },
    { key: "far", x: 0.9, y: 0.9, w: 0.004, h: 0.004 },
  ];
  const at = (x, y) => geometry.hits(boxes, WHOLE, SIZE, { x: x * 800, y: y * 600 }, 24);
  assert.deepEqual(at(0.5, 0.5), ["swimmer", "boat"]);
  assert.deepEqual(at(0.42, 0.42), ["boat"]);
  assert.deepEqual(at(0.91, 0.91), ["far"]);
  assert.deepEqual(at(0.2, 0.2), []);
});

test("handles lie outside the box, and never steal a press inside it", () => {
  const rect = { x: 100, y: 100, w: 6, h: 6 };
  for (const { name, x, y } of geometry.handlePoints(rect, 11))
    assert.equal(geometry.handleAt(rect, { x, y }, 11, 9), name);
  assert.equal(geometry.handleAt(rect, { x: 103, y: 103 }, 11, 9), null);
  assert.equal(geometry.handleAt(rect, { x: 300, y: 300 }, 11, 9), null);
});

test("names cover neither boxes nor one another; one that must stand stands", () => {
  const rect = (x) => ({ x, y: 100, w: 10, h: 20 });
  const items = [0, 1, 2, 3, 4, 5].map((n) => ({ key: n, rect: rect(100 + n * 14), width: 60, height: 17, must: n === 0 }));
  const places = geometry.placeNames(items, PORT);
  assert.ok(places.has(0));
  const drawn = [...places.entries()].map(([key, spot]) => ({ key, x: spot.x, y: spot.y, w: 60, h: 17 }));
  for (const a of drawn) {
    for (const b of drawn)
      if (a.key !== b.key)
        assert.ok(a.x + a.w <= b.x || b.x + b.w <= a.x || a.y + a.h <= b.y || b.y + b.h <= a.y);
    for (const item of items)
      assert.ok(a.y + a.h <= item.rect.y || a.y >= item.rect.y + 20 || a.x >= item.rect.x + 10 || a.x + a.w <= item.rect.x);
  }
});

test("reading order goes along the shore, left to right", () => {
  const boxes = [{ key: 1, x: 0.8, y: 0, w: 0.1, h: 1 }, { key: 2, x: 0.1, y: 0.5, w: 0.1, h: 0.1 }, { key: 3, x: 0.1, y: 0.1, w: 0.1, h: 0.1 }];
  assert.deepEqual(geometry.readingOrder(boxes).map((box) => box.key), [3, 2, 1]);
});

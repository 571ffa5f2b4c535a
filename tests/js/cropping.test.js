/** The crop sheet: which boxes lie on it, what was said of them, and the part of the picture that shows one. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { addressOf, countsOf, cropsOf, isOpen, regionOf, saidOf } from "../../annotation/static/annotation/cropping.js";
import { widened } from "../../annotation/static/annotation/detail.js";
import { createStore } from "../../annotation/static/annotation/store.js";
import { box } from "./server.js";

const visitOf = (...boxes) => ({ verdict: null, store: createStore(boxes) });
const machine = (key, more = {}) => box(key, 0.1, { score: 0.5, ...more });

test("suggestions of open frames are there, what a person drew and frames decided on are not", () => {
  const [first, second] = [visitOf(machine("a"), box("mine", 0.5)), visitOf(machine("b"))];
  assert.deepEqual(cropsOf([first, second], []).map(({ key }) => key), ["a", "b"]);
  first.verdict = "boxes";
  assert.deepEqual(cropsOf([first, second], []).map(({ key }) => key), ["b"]);
});

test("a crop stays while its page is shown, whatever was said of it", () => {
  const visit = visitOf(machine("a"), machine("b"), machine("c"), machine("d"));
  const crops = cropsOf([visit], []);
  visit.store.edit(["a"], () => ({}));
  visit.store.edit(["b"], () => ({ label: "tent" }));
  visit.store.remove(["c"]);
  const again = cropsOf([visit], crops);
  assert.deepEqual(new Set(again), new Set(crops));
  assert.deepEqual(crops.map(saidOf), ["kept", "changed", "refused", "open"]);
  assert.deepEqual(cropsOf([visit], []).map(({ key }) => key), ["d"]);
  visit.store.undo();
  assert.ok(isOpen(crops[2]));
});

test("classes are counted by what the machine said, in the order of the digits", () => {
  const visit = visitOf(machine("a", { label: "tent" }), machine("b"), machine("c"));
  const crops = cropsOf([visit], []);
  assert.deepEqual([...countsOf(crops, ["person", "tent", "boat"])], [["person", 2], ["tent", 1]]);
  visit.store.edit(["b"], () => ({ label: "boat" }));
  assert.deepEqual([...countsOf(crops, ["person", "tent", "boat"])], [["person", 1], ["tent", 1]]);
});

test("a region is square in pixels, holds its box and stays inside the frame", () => {
  const frame = { width: 4000, height: 3000 };
  const tiny = regionOf({ x: 0.5, y: 0.5, w: 0.002, h: 0.004 }, frame); // 8 × 12 pixels
  assert.deepEqual([tiny.w * 4000, tiny.h * 3000].map(Math.round), [96, 96]);
  assert.ok(Math.abs(tiny.x + tiny.w / 2 - 0.501) < 1e-4);
  const corner = regionOf({ x: 0.95, y: 0.96, w: 0.05, h: 0.04 }, frame); // 200 × 120
  assert.deepEqual([corner.w * 4000, corner.h * 3000].map(Math.round), [600, 600]);
  assert.deepEqual([corner.x + corner.w, corner.y + corner.h].map((side) => Math.round(side * 1e4)), [1e4, 1e4]);
  const whole = regionOf({ x: 0, y: 0, w: 1, h: 1 }, frame);
  assert.deepEqual(whole, { x: 0, y: 0, w: 1, h: 1 });
});

test("a region's address keeps what the picture's says", () => {
  const region = { x: 0, y: 0.25, w: 0.5, h: 0.5 };
  assert.equal(addressOf("/p", region), "/p?region=0,0.25,0.5,0.5");
  assert.equal(addressOf("/p?lifted=1", region), "/p?lifted=1&region=0,0.25,0.5,0.5");
});

test("the region in sight is widened to a grid inside the frame, so that a small step asks for nothing new", () => {
  const first = widened({ x: 0.5, y: 0.26, w: 0.1, h: 0.1 });
  assert.deepEqual(first, widened({ x: 0.503, y: 0.263, w: 0.1, h: 0.1 }));
  assert.ok(first.x <= 0.5 && first.x + first.w >= 0.6 && first.y <= 0.26 && first.y + first.h >= 0.36);
  const edge = widened({ x: 0.95, y: 0, w: 0.05, h: 0.01 });
  assert.ok(edge.x + edge.w <= 1 && edge.h > 0);
});

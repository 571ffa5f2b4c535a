// The zones' state alone: corners, kinds and the way back.

import assert from "node:assert/strict";
import { test } from "node:test";

import { Zones } from "../../detection/static/detection/zones_store.js";

const SQUARE = { kind: "water", polygon: [[0, 0], [1, 0], [1, 1], [0, 1]] };

test("a zone is drawn corner by corner and every step is undone", () => {
  const zones = new Zones([], 100);
  zones.add("shore");
  for (const [x, y] of [[0.1, 0.1], [0.9, 0.1], [0.5, 0.8]]) zones.addCorner(x, y);
  assert.deepEqual(zones.chosen, { kind: "shore", polygon: [[0.1, 0.1], [0.9, 0.1], [0.5, 0.8]] });
  assert.equal(zones.unfinished, 0);
  zones.undo();
  assert.equal(zones.unfinished, 1);
  for (let step = 0; step < 5; step += 1) zones.undo();
  assert.deepEqual(zones.zones, []);
  assert.equal(zones.changed, false);
});

test("a corner comes after the one chosen, and none leaves the picture", () => {
  const zones = new Zones([SQUARE], 100);
  zones.choose(0, 1);
  zones.addCorner(1.7, -0.2);
  assert.deepEqual(zones.chosen.polygon[2], [1, 0]);
  zones.moveCorner(2, 0.123456789, 2);
  assert.deepEqual(zones.chosen.polygon[2], [0.12346, 1]);
  zones.moveCorner(2, Number.NaN, 0);
  assert.deepEqual(zones.chosen.polygon[2], [0.12346, 1]);
});

test("without a pointer the corner lies half-way to the next", () => {
  const zones = new Zones([SQUARE], 5);
  zones.choose(0, 3);
  assert.equal(zones.addCornerBetween(), true);
  assert.deepEqual(zones.chosen.polygon[4], [0, 0.5]);
  assert.equal(zones.addCornerBetween(), false); // no room
  zones.add("path");
  for (let corner = 0; corner < 3; corner += 1) zones.addCornerBetween();
  assert.equal(zones.unfinished, 0);
});

test("one drag is one step back", () => {
  const zones = new Zones([SQUARE], 100);
  zones.choose(0);
  for (const x of [0.2, 0.3, 0.4]) zones.moveCorner(0, x, 0, "drag 1");
  zones.moveCorner(0, 0.5, 0, "drag 2");
  zones.undo();
  assert.deepEqual(zones.chosen.polygon[0], [0.4, 0]);
  zones.undo();
  assert.deepEqual(zones.chosen.polygon[0], [0, 0]);
});

test("what was saved is not changed any more, and removing it is", () => {
  const zones = new Zones([SQUARE], 100);
  zones.choose(0);
  zones.setKind("ignore");
  assert.equal(zones.changed, true);
  zones.saved(JSON.stringify(zones.zones));
  assert.equal(zones.changed, false);
  zones.removeCorner(3);
  zones.remove();
  assert.deepEqual(zones.zones, []);
  zones.undo();
  zones.undo();
  assert.equal(zones.changed, false);
});

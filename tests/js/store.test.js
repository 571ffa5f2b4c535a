/** Boxes of one frame: change sets, undo, suggestions. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { createStore, handmade, isSuggestion, newKey, sameBoxes } from "../../annotation/static/annotation/store.js";

const box = (key, x = 0.1, more = {}) => ({ key, label: "person", activity: "", x, y: 0.2, w: 0.05, h: 0.1, score: null, detection: null, source_class: null, ...more });
const suggestion = (key, x = 0.1) => box(key, x, { score: 0.8, detection: 7 });
const keys = (store) => store.boxes.map((each) => each.key);

test("what is done is undone and done again, step by step", () => {
  const store = createStore([box("a")]);
  store.add([box("b", 0.3)]);
  store.edit(["a"], () => ({ label: "tent" }));
  store.remove(["b"]);
  assert.deepEqual(keys(store), ["a"]);
  store.undo();
  assert.deepEqual(keys(store), ["a", "b"]);
  store.undo();
  assert.equal(store.get("a").label, "person");
  store.redo();
  store.redo();
  assert.deepEqual(keys(store), ["a"]);
  assert.equal(store.get("a").label, "tent");
  assert.equal(store.redo(), null);
});

test("any walk of changes undone in full gives the boxes of the start", () => {
  const start = [box("a"), suggestion("b", 0.4), box("c", 0.7)];
  const store = createStore(start);
  let state = 11;
  const random = (n) => (state = (state * 48271) % 2147483647) % n;
  for (let turn = 0; turn < 300; turn += 1) {
    const some = keys(store)[random(Math.max(keys(store).length, 1))];
    if (random(4) === 0) store.add([box(newKey(), random(90) / 100)]);
    else if (!some) continue;
    else if (random(3) === 0) store.remove([some]);
    else store.edit([some], (each) => ({ x: each.x / 2 }), { merge: random(2) ? "move" : null });
  }
  while (store.canUndo) store.undo();
  assert.ok(sameBoxes(store.boxes, start));
  while (store.canRedo) store.redo();
  while (store.canUndo) store.undo();
  assert.ok(sameBoxes(store.boxes, start));
});

test("a run of small steps is one undo; selecting something else ends the run", () => {
  const store = createStore([box("a"), box("b", 0.5)]);
  store.select(["a"]);
  for (let step = 0; step < 5; step += 1) store.edit(["a"], (each) => ({ x: each.x + 0.01 }), { merge: "move" });
  store.select(["b"]);
  store.select(["a"]);
  store.edit(["a"], (each) => ({ x: each.x + 0.01 }), { merge: "move" });
  store.undo();
  assert.equal(Math.round(store.get("a").x * 100), 15);
  store.undo();
  assert.equal(Math.round(store.get("a").x * 100), 10);
  assert.equal(store.canUndo, false);
});

test("a person's change accepts a suggestion, and undo makes it one again", () => {
  const store = createStore([suggestion("a")]);
  store.edit(["a"], () => ({ label: "tent" }));
  assert.equal(isSuggestion(store.get("a")), false);
  assert.equal(store.get("a").detection, 7);
  store.undo();
  assert.equal(isSuggestion(store.get("a")), true);
});

test("a step that changes nothing is no step", () => {
  const store = createStore([box("a")]);
  store.edit(["a", "gone"], () => ({ label: "person" }));
  store.remove(["gone"]);
  store.replace([box("a")]);
  assert.equal(store.get("a").label, "person");
  const steps = [];
  store.on("change", ({ name }) => steps.push(name));
  store.edit(["a"], () => ({}));
  assert.deepEqual(steps, []);
});

test("a new step forgets what could be done again", () => {
  const store = createStore([box("a")]);
  store.remove(["a"]);
  store.undo();
  store.add([box("b", 0.5)]);
  assert.equal(store.canRedo, false);
});

test("what a step touched is selected before anybody is told; what is gone never is", () => {
  const store = createStore([box("a"), box("b", 0.5)]);
  let seen = null;
  store.on("change", () => (seen = store.selection));
  store.edit(["b"], () => ({ label: "boat" }));
  assert.deepEqual(seen, ["b"]);
  store.remove(["b"]);
  assert.deepEqual(store.selection, []);
  store.select(["a", "a", "nothing"]);
  assert.deepEqual(store.selection, ["a"]);
});

test("the other side of a conflict is one step", () => {
  const store = createStore([box("a"), box("b", 0.5)]);
  store.replace([box("b", 0.6), box("c", 0.8)]);
  assert.deepEqual(keys(store), ["b", "c"]);
  store.undo();
  assert.ok(sameBoxes(store.boxes, [box("a"), box("b", 0.5)]));
});

test("lists are the same whatever their keys and order; not when anything stated differs", () => {
  assert.ok(sameBoxes([box("a"), box("b", 0.5)], [box("x", 0.5), box("y")]));
  assert.ok(sameBoxes([box("a", 0.1)], [box("b", 0.1 + 1e-8)]));
  assert.ok(!sameBoxes([box("a")], [suggestion("a")]));
  assert.ok(!sameBoxes([box("a")], [box("a", 0.1, { activity: "bathing" })]));
  assert.ok(!sameBoxes([box("a")], []));
});

test("keys are unique, and such as the server takes", () => {
  const made = new Set(Array.from({ length: 500 }, newKey));
  assert.equal(made.size, 500);
  for (const key of made) assert.match(key, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  const drawn = handmade({ x: 0.12345678, y: 0, w: 0.1, h: 0.1 }, "boat");
  assert.equal(drawn.x, 0.123457);
  assert.equal(isSuggestion(drawn), false);
});

/** What was said once of a still picture is proposed where it holds, and nowhere else. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { createMemory } from "../../annotation/static/annotation/memory.js";
import { createSitting } from "../../annotation/static/annotation/sitting.js";
import { createStopwatch } from "../../annotation/static/annotation/stopwatch.js";
import { box, createServer, openPage, settle, storage } from "./server.js";

const rock = (key, more = {}) => box(key, 0.1, { score: 0.6, still: true, ...more });
const frame = (id, boxes, more = {}) => ({ id, boxes, place: 1, night: "2025-07-26", captured_at: `2025-07-26T20:0${id}:00Z`, ...more });
const tent = (key, x = 0.6) => box(key, x, { label: "tent" });

async function sit(frames, store = storage()) {
  const server = createServer(frames);
  const page = openPage(server);
  const memory = createMemory(store, "7");
  const sitting = createSitting({ sync: page.sync, memory, stopwatch: () => createStopwatch(() => 0), timers: page.time.timers });
  await sitting.start();
  await settle();
  const keys = () => sitting.visits.map((visit) => visit.store.boxes.map((each) => each.key));
  return { ...page, sitting, server, store, keys };
}

test("a thing taken away once is left out on the other frames, and comes back by one step", async () => {
  const frames = [frame(1, [rock("a"), rock("far", { x: 0.8 })]), frame(2, [rock("b", { x: 0.102 })]), frame(3, [rock("c", { x: 0.13 })])];
  const { sitting, server, keys, time } = await sit(frames);
  sitting.current.store.remove(["a"]);
  sitting.decide("boxes");
  assert.deepEqual(keys(), [["far"], [], ["c"]]); // the third only touches it
  assert.deepEqual(sitting.current.left.map((each) => each.key), ["b"]);
  await time.pass(1000);
  assert.deepEqual(server.frames.get(2).boxes, []);
  assert.equal(sitting.undo(), "propose");
  assert.deepEqual(keys()[1], ["b"]);
});

test("the season remembers in the next sitting, until it is brought back", async () => {
  const first = await sit([frame(1, [rock("a")])]);
  first.sitting.decide("nobody");
  const again = () => sit([frame(5, [rock("b")], { night: "2025-08-30" }), frame(6, [rock("c")])], first.store);
  const second = await again();
  assert.deepEqual(second.keys(), [[], []]);
  assert.equal(second.sitting.bringBack(), 1);
  assert.deepEqual(second.keys()[0], ["b"]);
  assert.deepEqual((await again()).keys(), [["b"], ["c"]]);
});

test("who moves, another place, and boxes of a person's own are never left out", async () => {
  const frames = [
    frame(1, [rock("a")]),
    frame(2, [rock("moved", { still: false })]),
    frame(3, [rock("elsewhere")], { place: 2 }),
    frame(4, [box("own")]),
    frame(5, [rock("tent", { label: "tent" })]),
  ];
  const { sitting, keys } = await sit(frames);
  sitting.decide("nobody");
  assert.deepEqual(keys().slice(1), [["moved"], ["elsewhere"], ["own"], ["tent"]]);
});

test("a box moved or given another class was not taken away", async () => {
  const { sitting, keys } = await sit([frame(1, [rock("a")]), frame(2, [rock("b")])]);
  sitting.current.store.edit(["a"], () => ({ x: 0.11 }));
  sitting.decide("boxes");
  assert.deepEqual(keys()[1], ["b"]);
});

test("a tent accepted once follows through its night, and goes when it has gone", async () => {
  const frames = [
    frame(1, []), frame(2, [tent("machine", 0.61)]), frame(3, []), frame(4, [], { night: "2025-07-27" }), frame(9, []),
  ];
  const { sitting } = await sit(frames);
  const tents = () => sitting.visits.map((visit) => visit.store.boxes.filter((each) => each.label === "tent").length);
  sitting.current.store.add([tent("t")]);
  sitting.decide("boxes");
  assert.deepEqual(tents(), [1, 1, 1, 0, 1]);
  const morning = sitting.visits[4];
  assert.equal(morning.followed.length, 1);
  sitting.show(morning);
  morning.store.remove(morning.followed);
  sitting.decide("boxes");
  const later = createMemory(storage(), "7");
  later.learn(frame(1, []), [tent("t")]);
  later.learn(frame(9, []), []);
  assert.equal(later.proposal(frame(2, []), []).tents.length, 1);
  assert.equal(later.proposal(frame(8, []), []).tents.length, 0);
});

test("what one key confirms does not change under it, and by day no tent follows", async () => {
  const { sitting, server } = await sit([frame(1, [tent("t")]), frame(2, [box("p")]), frame(3, [], { captured_at: "2025-07-26T20:00:00Z" })]);
  sitting.decideEach([[sitting.visits[0], "boxes"], [sitting.visits[1], "boxes"]]);
  await settle();
  assert.deepEqual(server.stated(2).boxes.map((each) => each.key), ["p"]);
  assert.equal(sitting.current.followed.length, 1);
  const day = createMemory(storage(), "7");
  day.learn(frame(1, [], { night: "" }), [tent("t")]);
  assert.deepEqual(day.proposal(frame(2, [], { night: "" }), []).tents, []);
});

test("a decision taken back teaches nothing, and touched frames are left as they are", async () => {
  const frames = [frame(1, [rock("a")]), frame(2, [rock("b")]), frame(3, [rock("c")], { version: 2 })];
  const { sitting, store, keys } = await sit(frames);
  sitting.visits[1].store.edit(["b"], () => ({ y: 0.21 }));
  sitting.decide("nobody");
  assert.deepEqual(keys()[1], ["b"]);
  sitting.undo({ boxes: false });
  assert.deepEqual(createMemory(store, "7").proposal(frame(7, []), [rock("d")]).out, []);
});

test("storage that is forbidden or holds half a line costs nothing", () => {
  const broken = { getItem: () => "{", setItem() { throw new Error("full"); } };
  const memory = createMemory(broken, "7");
  memory.learn(frame(1, [rock("a")]), []);
  assert.deepEqual(memory.proposal(frame(2, []), [rock("b")]).out, ["b"]);
});

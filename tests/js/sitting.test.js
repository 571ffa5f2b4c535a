/** One sitting: frames ahead, the way back across frames, and saying truly that nothing is left. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { createOutbox } from "../../annotation/static/annotation/outbox.js";
import { createSitting } from "../../annotation/static/annotation/sitting.js";
import { createStopwatch } from "../../annotation/static/annotation/stopwatch.js";
import { box, createServer, openPage, settle, storage } from "./server.js";

async function sit(number = 6, { server = createServer(Array.from({ length: number }, (_, n) => ({ id: n + 1 }))), notes = null, ...more } = {}) {
  const page = openPage(server, more);
  const prepared = [];
  const sitting = createSitting({ sync: page.sync, notes, prepare: (frame) => prepared.push(frame.id), stopwatch: () => createStopwatch(() => 0), timers: page.time.timers });
  const shown = [];
  const said = [];
  sitting.on("show", ({ visit }) => shown.push(visit.frame.id));
  for (const type of ["waiting", "empty", "failed"]) sitting.on(type, (detail) => said.push({ type, ...detail }));
  await sitting.start();
  await settle();
  return { ...page, server, sitting, prepared, shown, said };
}

const here = (sitting) => sitting.current?.frame.id ?? null;

test("the next frames are there before they are asked for", async () => {
  const { sitting, prepared, server } = await sit(12);
  const claims = () => server.log.filter((line) => line === "POST /claim").length;
  assert.equal(here(sitting), 1);
  assert.deepEqual(prepared, [1, 2, 3, 4, 5, 6, 7]); // the others once the first three are there
  assert.equal(claims(), 2);
  for (const next of [2, 3, 4]) {
    sitting.decide("nobody");
    assert.equal(here(sitting), next); // at once, whatever the line does
    await settle();
  }
  assert.equal(claims(), 2);
  sitting.decide("nobody");
  await settle();
  assert.deepEqual(prepared, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]); // three were left behind the one shown
  assert.equal(claims(), 3);
  assert.equal(server.stated(1).verdict, "nobody");
});

test("a decision never waits for the line", async () => {
  const { sitting, server, time } = await sit(8);
  server.before = () => {
    throw new TypeError("network");
  };
  for (const verdict of ["nobody", "unreadable", "skip", "flag", "nobody", "nobody", "nobody"]) sitting.decide(verdict);
  assert.equal(here(sitting), null); // all that was held is done
  await settle();
  server.before = () => null;
  await time.pass(60_000);
  assert.deepEqual([1, 2, 3, 4].map((id) => server.stated(id).verdict), ["nobody", "unreadable", "skip", "flag"]);
  assert.equal(here(sitting), 8);
});

test("boxes are stated with the verdict that they are right, and with no other", async () => {
  const { sitting, server } = await sit();
  sitting.current.store.add([box("a")]);
  sitting.decide("flag");
  sitting.current.store.add([box("b")]);
  sitting.current.comment = "near the rock";
  sitting.decide("boxes");
  await settle();
  assert.deepEqual(server.stated(1).boxes, []);
  assert.deepEqual(server.stated(2).boxes.map((each) => each.key), ["b"]);
  assert.equal(server.stated(2).comment, "near the rock");
});

test("undo goes back step by step, then across frames to the last decision", async () => {
  const { sitting, server, time } = await sit();
  sitting.current.store.add([box("a")]);
  sitting.decide("boxes");
  sitting.current.store.add([box("b")]);
  await settle();
  assert.equal(sitting.undo(), "add");
  assert.equal(here(sitting), 2);
  assert.equal(sitting.undo(), "decision");
  assert.equal(here(sitting), 1);
  assert.deepEqual(sitting.current.store.boxes.map((each) => each.key), ["a"]);
  assert.equal(sitting.undo(), "add");
  assert.equal(sitting.undo(), null);
  await time.pass(1000);
  assert.deepEqual(server.frames.get(1).boxes, []);
  sitting.decide("nobody");
  await settle();
  assert.equal(server.stated(1).verdict, "nobody"); // the latest counts
});

test("redo gives the decision again", async () => {
  const { sitting, server } = await sit();
  sitting.decide("unreadable");
  await settle();
  sitting.undo();
  assert.equal(here(sitting), 1);
  assert.equal(sitting.redo(), "decision");
  assert.equal(here(sitting), 2);
  await settle();
  assert.equal(server.stated(1).verdict, "unreadable");
});

test("a decision undone before it left was never stated", async () => {
  const { sitting, server, time } = await sit();
  server.before = ({ url }) => {
    if (url.endsWith("reviews")) throw new TypeError("network");
  };
  sitting.decide("nobody");
  await settle();
  sitting.undo();
  server.before = () => null;
  await time.pass(60_000);
  assert.equal(server.reviews.size, 0);
});

test("a change on a frame decided on takes the decision back", async () => {
  const { sitting, server } = await sit();
  sitting.decide("nobody");
  assert.equal(sitting.go(-1), true);
  assert.equal(sitting.current.verdict, "nobody");
  sitting.current.store.add([box("a")]);
  assert.equal(sitting.current.verdict, null);
  sitting.decide("boxes");
  await settle();
  assert.equal(server.stated(1).verdict, "boxes");
});

test("going back and forth states nothing and stops at the ends", async () => {
  const { sitting, server } = await sit();
  assert.equal(sitting.go(-1), false);
  assert.equal(sitting.go(1), true);
  assert.equal(here(sitting), 2);
  assert.equal(sitting.go(-1), true);
  await settle();
  assert.equal(server.reviews.size, 0);
});

test("nothing left is only said when it is true, and others' frames are told apart", async () => {
  const { sitting, server, said } = await sit(1);
  server.left = 4;
  sitting.decide("nobody");
  await settle();
  assert.deepEqual(said.at(-1), { type: "empty", left: 4, rest: null });
  server.left = 0;
  await sitting.refill({ renew: true });
  assert.deepEqual(said.at(-1), { type: "empty", left: 0, rest: null });
  server.frames.set(9, { id: 9, version: 0, boxes: [], image: "/9" });
  server.queue.push(9);
  await sitting.refill({ renew: true });
  assert.equal(here(sitting), 9);
});

test("frames decided on while a claim is under way are made up for", async () => {
  const { sitting, said } = await sit(8);
  while (sitting.current) sitting.decide("nobody"); // faster than any line
  await settle();
  assert.equal(here(sitting), 8);
  sitting.decide("nobody");
  await settle();
  assert.deepEqual(said.at(-1), { type: "empty", left: 0, rest: null });
});

test("the line down is no empty queue", async () => {
  const server = createServer([{ id: 1 }]);
  server.before = () => {
    throw new TypeError("network");
  };
  const { sitting, said, time } = await sit(0, { server });
  assert.deepEqual(said.at(-1), { type: "waiting", why: "line" });
  server.before = () => null;
  await time.pass(5000);
  assert.equal(here(sitting), 1);
});

test("work that an earlier page could not send is shown again", async () => {
  const server = createServer([{ id: 1 }]);
  const first = await sit(0, { server });
  server.before = ({ method }) => {
    if (method === "PUT") throw new TypeError("network");
  };
  first.sitting.current.store.add([box("a")]);
  server.queue.push(1);
  const second = await sit(0, { server, store: first.store });
  assert.deepEqual(second.sitting.current.store.boxes.map((each) => each.key), ["a"]);
  assert.equal(second.sitting.current.recovered, true);
});

test("frames decided by one key are taken back and given again by one", async () => {
  const { sitting, server } = await sit();
  const page = sitting.visits.slice(0, 3);
  page[1].store.add([box("a")]);
  page[0].marked = true;
  sitting.decideEach([[page[1], "boxes"], [page[2], "nobody"]], page[0]);
  assert.equal(here(sitting), 1); // the one that was left out
  await settle();
  assert.deepEqual([2, 3].map((id) => server.stated(id).verdict), ["boxes", "nobody"]);
  assert.equal(server.stated(1), null);
  assert.equal(sitting.undo({ boxes: false }), "decision");
  assert.deepEqual(page.map((visit) => visit.verdict), [null, null, null]);
  assert.equal(here(sitting), 2);
  sitting.redo();
  assert.deepEqual(page.map((visit) => visit.verdict), [null, "boxes", "nobody"]);
});

test("the time spent on frames decided together is shared out among them", async () => {
  let now = 0;
  const server = createServer([{ id: 1 }, { id: 2 }]);
  const page = openPage(server);
  const sent = [];
  server.before = ({ body }) => void (body.verdict && sent.push(body.seconds));
  const sitting = createSitting({ sync: page.sync, stopwatch: () => createStopwatch(() => now, 20_000), timers: page.time.timers });
  await sitting.start();
  await settle();
  now += 8000;
  sitting.decideEach(sitting.visits.map((visit) => [visit, "nobody"]));
  await settle();
  assert.deepEqual(sent, [4, 4]);
  sitting.undo();
  now += 3000;
  sitting.decide("unreadable");
  await settle();
  assert.deepEqual(sent, [4, 4, 3]); // what was told before is not told again
});

test("a note on a frame decided on takes the decision back, to leave with the next", async () => {
  const { sitting, server } = await sit();
  sitting.decide("nobody");
  sitting.go(-1);
  sitting.note("by the rock");
  sitting.decide("nobody");
  await settle();
  assert.equal(server.stated(1).comment, "by the rock");
});

test("a note that was not stated is found again after a reload, and once stated is kept no more", async () => {
  const store = storage();
  const notes = createOutbox(store, "notes-7");
  const first = await sit(2, { notes });
  first.sitting.note("by the rock");
  const second = await sit(2, { notes });
  assert.equal(second.sitting.current.comment, "by the rock");
  second.sitting.decide("nobody");
  await settle();
  assert.equal(second.server.stated(1).comment, "by the rock");
  assert.equal(store.length, 0);
});

test("however much is decided while the line is down, it is tried by one", async () => {
  const { sitting, server, time } = await sit(8);
  server.before = ({ url }) => {
    if (url === "/claim") throw new TypeError("network");
  };
  for (const _ of [1, 2, 3, 4, 5, 6]) {
    sitting.decide("nobody");
    await settle();
  }
  await time.pass(100_000);
  const before = server.log.length;
  await time.pass(120_000);
  assert.ok(server.log.length - before <= 8, String(server.log.length - before));
});

test("a sheet keeps more frames ready, and asks for no more than one claim may", async () => {
  const { sitting, server, prepared } = await sit(30);
  const wants = [];
  server.before = ({ body }) => void (body.want !== undefined && wants.push(body.want));
  sitting.keepReady(16);
  await settle();
  await settle();
  assert.equal(prepared.length, 17); // ten more at once
  assert.ok(Math.max(...wants) <= 10);
});

test("a decision may say where it goes on", async () => {
  const { sitting } = await sit();
  sitting.decide("nobody", sitting.visits[2]);
  assert.equal(here(sitting), 3);
  sitting.decide("nobody");
  assert.equal(here(sitting), 4);
});

test("frames are reached by tens, at both ends, and those still to be decided on", async () => {
  const { sitting } = await sit();
  sitting.keepReady(5);
  await settle();
  assert.equal(sitting.goBy(10), true);
  assert.equal(here(sitting), 6);
  assert.equal(sitting.goBy(Infinity), false);
  assert.equal(sitting.goBy(-Infinity), true);
  assert.equal(here(sitting), 1);
  sitting.decide("nobody");
  sitting.decide("nobody", sitting.visits[0]);
  assert.equal(sitting.goOpen(1), true);
  assert.equal(here(sitting), 3);
  assert.equal(sitting.goOpen(-1), false);
});

test("boxes put on many frames are drafts there, and one undo takes all of them back", async () => {
  const frames = [1, 2, 3, 4].map((id) => ({ id, deployment: id === 3 ? "other" : "shore" }));
  const { sitting, server, time } = await sit(0, { server: createServer(frames) });
  const put = (visit) => visit.store.add([box(`copy${visit.frame.id}`)]);
  assert.deepEqual(sitting.alike.map((visit) => visit.frame.id), [2, 4]);
  assert.equal(sitting.spread(sitting.alike, put), 2);
  await time.pass(1000);
  assert.deepEqual([2, 3, 4].map((id) => server.frames.get(id).boxes.length), [1, 0, 1]);
  assert.equal(server.reviews.size, 0);
  sitting.visits[3].store.add([box("mine")]); // worked on since: not undone from here
  assert.equal(sitting.undo(), "spread");
  assert.deepEqual(sitting.visits.map((visit) => visit.store.boxes.length), [0, 0, 0, 2]);
  assert.equal(sitting.undo(), null);
});

test("the last boxes are those stated on the frame before", async () => {
  const { sitting } = await sit();
  sitting.current.store.add([box("a")]);
  sitting.decide("boxes");
  assert.deepEqual(sitting.lastBoxes.map((each) => each.key), ["a"]);
  sitting.decide("nobody");
  assert.deepEqual(sitting.lastBoxes, []);
});

test("a frame that is let go makes way for the next", async () => {
  const { sitting } = await sit();
  sitting.drop(1);
  assert.equal(here(sitting), 2);
  assert.equal(sitting.visit(1), null);
});

test("time on a frame is time at work: a pause counts as away", () => {
  let now = 0;
  const watch = createStopwatch(() => now, 20_000);
  watch.touch();
  now += 4000;
  watch.touch();
  now += 3_600_000;
  watch.touch();
  assert.equal(watch.seconds, 24);
  watch.pause();
  now += 90_000;
  assert.equal(watch.seconds, 24);
});

test("a statement that was not taken is open again, and the frame that is shown stays", async () => {
  const { sitting, server, sync, shown } = await sit(3);
  sync.on("refused", ({ id }) => sitting.untaken(id));
  server.before = ({ method, url }) => (method === "POST" && url.includes("reviews") ? 400 : null);
  sitting.decide("nobody");
  await settle();
  assert.equal(here(sitting), 2);
  assert.deepEqual(shown, [1, 2]);
  assert.equal(sitting.visit(1).verdict, null);
  sitting.decide("nobody");
  sitting.decide("nobody");
  await settle();
  server.before = () => null;
  assert.equal(here(sitting), 1); // nothing else is left to work on
  sitting.decide("unreadable");
  await settle();
  assert.equal(server.stated(1).verdict, "unreadable");
});

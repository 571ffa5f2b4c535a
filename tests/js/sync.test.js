/** The talk with the server: whatever happens to the line, what was done arrives, once. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { backOff } from "../../annotation/static/annotation/sync.js";
import { box, createServer, openPage, settle } from "./server.js";

const down = () => {
  throw new TypeError("network");
};
const statement = (boxes = [], verdict = boxes.length ? "boxes" : "nobody") => ({ verdict, boxes, seconds: 2 });

async function opened(more = {}) {
  const server = createServer([{ id: 1, ...more }, { id: 2 }]);
  const page = openPage(server);
  await page.sync.claim(2, []);
  return { server, ...page };
}

test("changes are sent when the hand rests, the last of them alone", async () => {
  const { server, sync, time } = await opened();
  for (let n = 1; n <= 5; n += 1) {
    sync.draft(1, [box("a", n / 10)]);
    await time.pass(100);
  }
  assert.equal(sync.state.kind, "saving");
  await time.pass(700);
  assert.deepEqual(server.log, ["POST /claim", "PUT /frames/1/draft"]);
  assert.equal(server.frames.get(1).boxes[0].x, 0.5);
  assert.deepEqual(sync.state, { kind: "saved", pending: 0 });
});

test("a review does not wait for the rest, and takes the place of the draft", async () => {
  const { server, sync } = await opened();
  sync.draft(1, [box("a")]);
  sync.review(1, statement([box("a")]));
  await settle();
  assert.deepEqual(server.log.slice(1), ["POST /frames/1/reviews"]);
  assert.equal(server.stated(1).verdict, "boxes");
});

test("an autosave in flight makes the review behind it no conflict", async () => {
  const { server, sync, time, kinds } = await opened();
  sync.draft(1, [box("a")]);
  const resting = time.pass(700);
  sync.flush();
  sync.review(1, statement([box("a", 0.3)]));
  await resting;
  await settle();
  assert.deepEqual(kinds(), ["saved", "reviewed"]);
  assert.equal(server.stated(1).boxes[0].x, 0.3);
});

test("a claim that was answered before a review and arrives after it makes no conflict", async () => {
  const { server, sync, time, kinds } = await opened();
  const old = structuredClone(server.frames.get(1));
  sync.review(1, statement([box("a")]));
  await settle();
  const now = server.frames.get(1);
  server.frames.set(1, old);
  server.queue.push(1);
  await sync.claim(1, []);
  server.frames.set(1, now);
  sync.draft(1, [box("a", 0.4)]);
  await time.pass(700);
  assert.deepEqual(kinds(), ["reviewed", "saved"]);
});

test("while the line is down everything waits, and then arrives in order", async () => {
  const { server, sync, time, kinds } = await opened();
  server.before = down;
  sync.draft(1, [box("a")]);
  await time.pass(700);
  assert.deepEqual(sync.state, { kind: "waiting", pending: 1 });
  sync.review(1, statement([box("a")]));
  sync.review(2, statement());
  await settle();
  assert.equal(sync.state.pending, 2);
  server.before = () => null;
  await time.pass(40_000);
  assert.deepEqual(kinds(), ["reviewed", "reviewed"]);
  assert.deepEqual([server.stated(1).verdict, server.stated(2).verdict], ["boxes", "nobody"]);
  assert.equal(sync.state.kind, "saved");
});

test("a server that is down or busy is a line that is down", async () => {
  for (const status of [500, 502, 503, 429, 408]) {
    const { server, sync, time } = await opened();
    server.before = () => status;
    sync.review(1, statement());
    await settle();
    assert.equal(sync.state.kind, "waiting", status);
    server.before = () => null;
    await time.pass(5000);
    assert.equal(server.reviews.size, 1);
  }
});

test("trials come later and later, and not all pages at once", () => {
  assert.deepEqual([1, 2, 3, 4, 5, 6, 7, 50].map((n) => backOff(n, () => 0.5)), [1, 2, 4, 8, 16, 30, 30, 30]);
  assert.ok(backOff(3, () => 0) < backOff(3, () => 0.99));
});

test("an answer lost on its way makes neither a second review nor a conflict", async () => {
  const { server, sync, time, kinds } = await opened();
  let lost = 0;
  server.after = ({ method }) => {
    if (method !== "GET" && (lost += 1) <= 2) down();
  };
  sync.draft(1, [box("a")]);
  await time.pass(700);
  await time.pass(3000);
  sync.review(1, statement([box("a")]));
  await time.pass(10_000);
  assert.equal(server.reviews.size, 1);
  assert.ok(!kinds().includes("conflict"), kinds());
  assert.equal(sync.state.kind, "saved");
});

test("a lost answer followed by more changes is no conflict either", async () => {
  const { server, sync, time, kinds } = await opened();
  let lost = 0;
  server.after = () => {
    if ((lost += 1) === 1) down();
  };
  sync.draft(1, [box("a")]);
  await time.pass(700);
  sync.draft(1, [box("a"), box("b", 0.5)]);
  await time.pass(10_000);
  assert.ok(!kinds().includes("conflict"));
  assert.equal(server.frames.get(1).boxes.length, 2);
});

test("another tab's boxes are a conflict, and nothing is lost until somebody chose", async () => {
  for (const side of ["mine", "theirs"]) {
    const { server, sync, time, events } = await opened();
    Object.assign(server.frames.get(1), { version: 4, boxes: [box("t", 0.8)] });
    sync.review(1, statement([box("m", 0.2)]));
    await settle();
    assert.equal(events.at(-1).type, "conflict");
    assert.deepEqual(events.at(-1).theirs.map((each) => each.key), ["t"]);
    assert.equal(sync.state.kind, "attention");
    await time.pass(60_000);
    assert.equal(server.reviews.size, 0);
    sync.resolve(1, side);
    await settle();
    assert.equal(server.stated(1)?.boxes[0].key ?? "t", side === "mine" ? "m" : "t");
    assert.equal(server.frames.get(1).boxes[0].key, side === "mine" ? "m" : "t");
    assert.equal(sync.state.kind, "saved");
  }
});

test("the same boxes on both sides need no person to choose", async () => {
  const { server, sync, kinds } = await opened();
  Object.assign(server.frames.get(1), { version: 4, boxes: [box("t", 0.2)] });
  sync.review(1, statement([box("m", 0.2)]));
  await settle();
  assert.deepEqual(kinds(), ["reviewed"]);
});

test("a frame that is with somebody else keeps its work here, others go on", async () => {
  const { server, sync, events } = await opened();
  server.frames.get(1).gone = "taken";
  sync.review(1, statement([box("a")]));
  sync.review(2, statement());
  await settle();
  assert.deepEqual(events.map(({ type, id }) => [type, id]), [["lost", 1], ["reviewed", 2]]);
  assert.equal(events[0].code, "taken");
  assert.equal(await sync.retry(1), false);
  server.frames.get(1).gone = null;
  assert.equal(await sync.retry(1), true);
  assert.equal(server.stated(1).boxes[0].key, "a");
});

test("who may not check here any more is told so, and keeps the work until they may again", async () => {
  const { server, sync, events } = await opened();
  server.before = () => 403;
  sync.review(1, statement([box("a")]));
  await settle();
  assert.deepEqual([events[0].type, events[0].detail, sync.state.kind], ["lost", "status 403", "attention"]);
  server.before = () => null;
  assert.equal(await sync.retry(1), true);
  assert.equal(server.stated(1).boxes[0].key, "a");
});

test("a frame on which the server fails does not keep the others from leaving", async () => {
  const { server, sync, time } = await opened();
  server.before = ({ url }) => (url.startsWith("/frames/1") ? 500 : null);
  sync.review(1, statement());
  sync.review(2, statement());
  await settle();
  await time.pass(5000);
  assert.equal(server.stated(2)?.verdict, "nobody");
});

test("a statement whose answer was lost is no conflict with what was said after", async () => {
  const { server, sync, time, kinds } = await opened();
  server.after = down;
  sync.review(1, statement([box("a")]));
  await settle();
  server.after = () => {};
  sync.withdraw(1);
  sync.review(1, statement([box("b", 0.5)]));
  await time.pass(10_000);
  assert.ok(!kinds().includes("conflict"), kinds());
  assert.equal(server.stated(1).boxes[0].key, "b");
});

test("who skips or flags at once keeps what they had just drawn", async () => {
  const { server, sync } = await opened();
  sync.draft(1, [box("a")]);
  sync.review(1, statement([], "flag"));
  await settle();
  assert.deepEqual(server.log.slice(1), ["PUT /frames/1/draft", "POST /frames/1/reviews"]);
  assert.equal(server.stated(1).verdict, "flag");
});

test("a lost frame can be let go", async () => {
  const { server, sync, store } = await opened();
  server.frames.get(1).gone = "taken";
  sync.review(1, statement());
  await settle();
  await sync.discard(1);
  assert.deepEqual(sync.state, { kind: "saved", pending: 0 });
  assert.equal(store.length, 0);
});

test("a statement that is refused stays as a draft until it is decided anew", async () => {
  const { server, sync, events, time } = await opened();
  server.before = ({ method }) => (method === "POST" ? 400 : null);
  sync.review(1, statement([box("a")]));
  await settle();
  assert.deepEqual([events[0].type, events[0].verdict], ["refused", "boxes"]);
  assert.equal(sync.unsent(1)[0].key, "a");
  await time.pass(60_000);
  assert.equal(server.log.length, 2); // it is not sent again and again
  server.before = () => null;
  sync.review(1, statement([box("b")]));
  await settle();
  assert.equal(server.stated(1).boxes[0].key, "b");
});

test("half an answer is a cut line, not a sign-out", async () => {
  const { server, sync, time } = await opened();
  server.html = "";
  sync.review(1, statement());
  await settle();
  assert.equal(sync.state.kind, "waiting");
  server.html = null;
  await time.pass(5000);
  assert.equal(server.reviews.size, 1);
});

test("signed out: it says so, keeps all, and goes on after a sign-in in another tab", async () => {
  for (const end of [{ before: () => 401 }, { html: "text/html" }]) {
    const { server, sync, time } = await opened();
    Object.assign(server, end);
    sync.review(1, statement());
    await settle();
    assert.equal(sync.state.kind, "signedout");
    Object.assign(server, { before: () => null, html: null });
    await time.pass(5000);
    assert.equal(server.reviews.size, 1);
    assert.equal(sync.state.kind, "saved");
  }
});

test("a review that has not left is withdrawn; one that has is not", async () => {
  const { server, sync, time } = await opened();
  server.before = down;
  sync.review(1, statement());
  await settle();
  assert.equal(sync.withdraw(1), true);
  server.before = () => null;
  await time.pass(60_000);
  assert.equal(server.reviews.size, 0);
  sync.review(1, statement());
  assert.equal(sync.withdraw(1), false); // in flight
  await settle();
  assert.equal(sync.withdraw(1), false);
  assert.equal(server.reviews.size, 1);
});

test("a page that went away is found again by the next: draft, review and all", async () => {
  const { server, sync, store } = await opened();
  server.before = down;
  sync.draft(1, [box("a")]);
  sync.review(2, { ...statement([box("b")]), comment: "by the rock" });
  await settle();
  server.before = () => null;
  const next = openPage(server, { store });
  assert.equal(await next.sync.recover(), 2);
  assert.equal(server.stated(2).comment, "by the rock");
  assert.equal(server.frames.get(1).boxes[0].key, "a");
  assert.equal(store.length, 0);
});

test("a page that leaves tries once more, and the next does not state it twice", async () => {
  const { server, sync, store, time } = await opened();
  server.before = down;
  sync.review(1, statement([box("a")]));
  await settle();
  server.before = () => null;
  sync.leave();
  await settle();
  const next = openPage(server, { store, time });
  await next.sync.recover();
  assert.equal(server.reviews.size, 1);
  assert.deepEqual(next.kinds(), ["reviewed"]);
});

test("half an entry in the store does not stop the rest", async () => {
  const { server, sync, store } = await opened();
  server.before = down;
  sync.review(1, statement());
  await settle();
  server.before = () => null;
  store.setItem("lacs.review.7.2", '{"id": 2, "dra');
  store.setItem("lacs.review.8.2", JSON.stringify({ id: 2, version: 0, draft: [box("x")] })); // somebody else's
  const next = openPage(server, { store });
  assert.equal(await next.sync.recover(), 1);
  assert.equal(server.reviews.size, 1);
  assert.equal(server.frames.get(2).boxes.length, 0);
});

test("half an entry before another does not hide it", async () => {
  const { server, store } = await opened();
  store.setItem("lacs.review.7.1", '{"id": 1, "dra');
  store.setItem("lacs.review.7.2", JSON.stringify({ id: 2, version: 0, known: [], draft: [box("x")], review: null }));
  assert.equal(await openPage(server, { store }).sync.recover(), 1);
  assert.equal(server.frames.get(2).boxes.length, 1);
});

test("a store that is full costs the second net only", async () => {
  const server = createServer([{ id: 1 }]);
  const full = { length: 0, key: () => null, getItem: () => null, removeItem() {}, setItem() {
    throw new Error("quota");
  } };
  const { sync } = openPage(server, { store: full });
  await sync.claim(1, []);
  sync.review(1, statement());
  await settle();
  assert.equal(server.reviews.size, 1);
});

test("an afternoon without a line fits into what a browser keeps for a page", async () => {
  const server = createServer(Array.from({ length: 18 }, (_, at) => ({ id: at + 1 })));
  const { sync, store, time } = openPage(server);
  await sync.claim(18, []);
  server.before = () => {
    throw new TypeError("network");
  };
  const many = (id) =>
    Array.from({ length: 300 }, (_, at) => ({
      ...box(`d${id}0000000${at}`, 0.123456),
      ...{ y: 0.654321, w: 0.012345, h: 0.023456, score: 0.123, detection: 1e7 + at, source_class: "person" },
    }));
  for (let id = 1; id <= 18; id += 1) {
    sync.draft(id, many(id));
    await time.pass(60_000); // tried several times
    assert.ok(id > 1 || JSON.parse(store.getItem(store.key(0))).known.length === 2); // each list once
    sync.review(id, { verdict: "boxes", boxes: many(id), seconds: 4 });
    await time.pass(60_000);
  }
  let kept = 0;
  for (let at = 0; at < store.length; at += 1) kept += store.getItem(store.key(at)).length;
  assert.equal(store.length, 18);
  assert.ok(kept < 4e6, `${kept} characters`); // browsers keep five millions
  server.before = () => null;
  await time.pass(60_000);
  for (let turn = 0; turn < 10; turn += 1) await settle();
  assert.equal(store.length, 0);
  assert.equal(server.reviews.size, 18);
});

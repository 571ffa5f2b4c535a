/** What lies on a sheet together, and where the arrows go. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { byTime, nextOpen, pageOf, stepIn } from "../../annotation/static/annotation/paging.js";

const things = (n) => Array.from({ length: n }, (_, at) => ({ at, done: false }));
const open = (thing) => !thing.done;
const places = (page) => page.map(({ at }) => at);

test("things stay in their place while they are decided on, and newcomers fill the gaps at the end", () => {
  const all = things(5);
  let page = pageOf([], all.slice(0, 2), all[0], 4, open);
  assert.deepEqual(places(page), [0, 1]);
  all[0].done = true;
  page = pageOf(page, all, all[1], 4, open);
  assert.deepEqual(places(page), [0, 1, 2, 3]);
});

test("a page without what is shown is left for one that begins with it", () => {
  const all = things(9);
  const page = pageOf(all.slice(0, 3), all, all[3], 3, open);
  assert.deepEqual(places(page), [3, 4, 5]);
  all[4].done = true;
  assert.deepEqual(places(pageOf(page, all, all[8], 3, open)), [8]);
  assert.deepEqual(places(pageOf([], all, all[4], 3, open)), [4, 5, 6]); // shown though decided on
});

test("with nothing shown, a page that is done makes way for what is left", () => {
  const all = things(5);
  for (const at of [0, 1]) all[at].done = true;
  assert.deepEqual(places(pageOf(all.slice(0, 2), all, null, 2, open)), [2, 3]);
  assert.deepEqual(places(pageOf(all.slice(1, 3), all, null, 2, open)), [1, 2]);
  assert.deepEqual(pageOf([], [], null, 2, open), []);
});

test("what is no more leaves the page, and a smaller page is cut", () => {
  const all = things(4);
  assert.deepEqual(places(pageOf(all, all.slice(1), all[1], 4, open)), [1, 2, 3]);
  assert.deepEqual(places(pageOf(all, all, all[0], 2, open)), [0, 1]);
});

test("arrows walk the grid and stop at its edges", () => {
  assert.equal(stepIn(8, 0, "ArrowRight", 3), 1);
  assert.equal(stepIn(8, 1, "ArrowDown", 3), 4);
  assert.equal(stepIn(8, 5, "ArrowDown", 3), 5); // no ninth
  assert.equal(stepIn(8, 0, "ArrowLeft", 3), 0);
  assert.equal(stepIn(8, 4, "ArrowUp", 3), 1);
});

test("the next to decide on is after this one, else the first of the page", () => {
  const all = things(3);
  all[2].done = true;
  assert.equal(nextOpen(all, all[0], open), all[1]);
  assert.equal(nextOpen(all, all[1], open), all[0]);
  all[0].done = true;
  assert.equal(nextOpen(all, all[1], open), null); // itself is being decided on
});

test("frames are found by the digits of their time, in the order of time", () => {
  const visit = (captured_at, time_label) => ({ frame: { captured_at, time_label } });
  const visits = [visit("2025-07-26T08:35Z", "10:35"), visit("2025-07-25T08:30Z", "10:30"), visit("2025-07-25T01:30Z", "03:30")];
  const labels = (typed) => byTime(visits, typed).map(({ frame }) => frame.time_label);
  assert.deepEqual(labels(""), ["03:30", "10:30", "10:35"]);
  assert.deepEqual(labels("10:3"), ["10:30", "10:35"]);
  assert.deepEqual(labels("0330"), ["03:30"]);
  assert.deepEqual(labels("77"), []);
});

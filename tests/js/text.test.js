/** Words come from the server alone: filled in, counted, and complete for what the scripts ask for. */

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";

import { createText } from "../../lacs_web/static/lacs_web/text.js";
import { createWords } from "../../annotation/static/annotation/words.js";

const source = new URL("../../annotation/static/annotation/", import.meta.url);
const python = readFileSync(new URL("../../annotation/review_text.py", import.meta.url), "utf8");
const known = new Set([...python.matchAll(/^\s+"(\w+)": _\(/gm)].map((found) => found[1]));

test("placeholders are filled in, numbers written as the language does", () => {
  const text = createText({ a: "{time}: {n} of {rest}", b_one: "{n} box", b_other: "{n} boxes" }, "en");
  assert.equal(text("a", { time: "10:05", n: 12000 }), "10:05: 12,000 of {rest}");
  assert.equal(text("b", { n: 1 }), "1 box");
  assert.equal(text("b", { n: 0 }), "0 boxes");
  assert.throws(() => text("missing"), /no text/);
});

test("French counts nought as one, and falls back where a form is missing", () => {
  const text = createText({ b_one: "{n} cadre", b_other: "{n} cadres" }, "fr");
  assert.equal(text("b", { n: 0 }), "0 cadre");
  assert.equal(text("b", { n: 1_000_000 }).replace(/\s/g, " "), "1 000 000 cadres"); // French "many"
});

test("every word that a script asks for by name is in the server's list", () => {
  const asked = new Set();
  for (const file of readdirSync(source).filter((name) => name.endsWith(".js"))) {
    const code = readFileSync(new URL(file, source), "utf8");
    for (const found of code.matchAll(/\b(?:text|words)\("(\w+)"/g)) asked.add(found[1]);
    for (const found of code.matchAll(/\btext: "(\w+)"/g)) asked.add(found[1]);
  }
  assert.ok(asked.size > 60);
  const missing = [...asked].filter((key) => !known.has(key) && !known.has(`${key}_other`));
  assert.deepEqual(missing, []);
});

test("what is made up of parts is in the list as well", () => {
  const parts = {
    said: ["boxes_other", "nobody", "unreadable", "skip", "flag"],
    verdict: ["boxes", "nobody", "unreadable", "skip", "flag", "dropped"],
    state: ["saved", "saving", "waiting_other", "signedout", "attention"],
    rest: ["claiming", "line", "empty", "others", "failed", "claiming_text", "line_text", "empty_text", "others_text", "failed_text"],
    field: ["x", "y", "w", "h"],
    group: ["decide", "boxes", "view", "frames"],
    conflict: ["mine", "theirs", "keep_mine", "keep_theirs"],
  };
  for (const [stem, ends] of Object.entries(parts)) for (const end of ends) assert.ok(known.has(`${stem}_${end}`), `${stem}_${end}`);
});

test("a box in words: its activity beside it, all of it for a screen reader", () => {
  const dictionary = { name_suggested: "{box}?", line_suggested: "{box}? {score}", suggested: "suggested, {score}", count_of: "{n} × {label}", no_boxes: "no boxes" };
  const words = createWords({ text: createText(dictionary, "en"), labels: [{ value: "person", text: "Mensch" }], activities: [{ value: "bathing", text: "Bad" }] });
  const mine = { label: "person", activity: "bathing", score: null };
  assert.equal(words.name(mine), "Bad");
  assert.equal(words.name({ ...mine, score: 0.5 }), "Bad?");
  assert.equal(words.describe({ ...mine, score: 0.5 }), "Mensch, Bad, suggested, 50%");
  assert.equal(words.count([mine, mine]), "2 × Mensch");
  assert.equal(words.count([]), "no boxes");
});

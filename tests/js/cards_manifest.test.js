import assert from "node:assert/strict";
import test from "node:test";

import { createSha256 } from "../../detection/static/detection/sha256.js";
import { ofDrop, Unlisted } from "../../detection/static/detection/folder.js";
import { fingerprint, firstPicture, isLeftByComputer, samples, takeStock } from "../../detection/static/detection/manifest.js";
import { createPace } from "../../detection/static/detection/pace.js";

const chosen = (...paths) => paths.map((path, size) => ({ path, file: { size } }));
const hashText = async (text) => {
  const sha256 = createSha256();
  sha256.update(new TextEncoder().encode(text));
  return sha256.hex();
};
const print = async (files, hash = "x") =>
  fingerprint(files, new Map(samples(files).map((one) => [one, hash])), hashText);

test("paths lie below the folder that was chosen, in order, without what computers leave", () => {
  const { source, files, leftOut } = takeStock(
    chosen("DCIM/b/2.JPG", "DCIM/a/1.JPG", "DCIM/.DS_Store", "DCIM/System Volume Information/x", "DCIM/a/Thumbs.db"),
  );
  assert.equal(source, "DCIM");
  assert.deepEqual(files.map(({ path }) => path), ["a/1.JPG", "b/2.JPG"]);
  assert.deepEqual(leftOut, [".DS_Store", "System Volume Information", "a/Thumbs.db"]);
});

test("two folders dropped together keep their names, so that equal names stay two", () => {
  const { source, files } = takeStock(chosen("A/1.JPG", "B/1.JPG"));
  assert.equal(source, "");
  assert.deepEqual(files.map(({ path }) => path), ["A/1.JPG", "B/1.JPG"]);
});

test("pictures chosen without a folder", () => {
  assert.deepEqual(takeStock(chosen("1.JPG", "2.JPG")).files.map(({ path }) => path), ["1.JPG", "2.JPG"]);
  assert.deepEqual(takeStock([]), { source: "", files: [], leftOut: [] });
});

test("what a computer leaves, and that a hidden picture is none of it", () => {
  for (const name of ["._1.JPG", ".Trashes", ".Trash-1000", "THUMBS.DB", "$RECYCLE.BIN"]) assert(isLeftByComputer(name));
  for (const name of ["1.JPG", "a..b", "..", "Thumbs.jpg", ".hidden.JPG", ".DCIM"]) assert(!isLeftByComputer(name));
  const { files, leftOut } = takeStock(chosen("card/.DCIM/1.JPG", "card/.Trashes/501/2.JPG", "card/.Trashes/3.JPG"));
  assert.deepEqual(files.map(({ path }) => path), [".DCIM/1.JPG"]);
  assert.deepEqual(leftOut, [".Trashes"]);
});

/** A folder as browsers give it when it is dropped; null cannot be opened. */
function entry(name, inside) {
  if (typeof inside === "string") return { name, isFile: true, file: (take) => take({ size: inside.length }) };
  const rest = inside && [Object.entries(inside).map(([below, more]) => entry(below, more))];
  const readEntries = (take, refuse) => (rest ? take(rest.pop() ?? []) : refuse(new DOMException("closed", "NotReadableError")));
  return { name, isFile: false, createReader: () => ({ readEntries }) };
}

const dropped = (...entries) => ({ items: entries.map((one) => ({ webkitGetAsEntry: () => one })) });

test("of a folder that is dropped, what a computer left is not opened", async () => {
  const card = entry("card", { DCIM: { "1.JPG": "a", ".2.JPG": "b" }, ".Trashes": null });
  const { files, leftOut } = takeStock(await ofDrop(dropped(card)));
  assert.deepEqual(files.map(({ path }) => path), ["DCIM/.2.JPG", "DCIM/1.JPG"]);
  assert.deepEqual(leftOut, [".Trashes"]);
});

test("a folder that is dropped and cannot be read whole is not taken in part", async () => {
  const card = entry("card", { DCIM: { "1.JPG": "a" }, MISC: null });
  await assert.rejects(ofDrop(dropped(card)), (error) => error instanceof Unlisted && error.path === "card/MISC");
});

test("the fingerprint is of one card: whatever the order, and changed by any name, size or sampled byte", async () => {
  const names = ["x/1", "x/2", "x/3", "x/4"];
  const one = takeStock(chosen(...names)).files;
  const turned = takeStock(chosen(...names).reverse()).files;
  assert.equal(await print(one), await print(turned));
  assert.match(await print(one), /^[0-9a-f]{64}$/);
  const larger = one.map((entry, index) => (index === 1 ? { ...entry, file: { size: 99 } } : entry));
  const renamed = one.map((entry, index) => (index === 1 ? { ...entry, path: "9" } : entry));
  const all = [one, larger, renamed].map((files) => print(files)).concat(print(one, "other bytes"));
  assert.equal(new Set(await Promise.all(all)).size, 4);
});

test("the first picture names the camera", () => {
  assert.equal(firstPicture(takeStock(chosen("x/a.txt", "x/b.jpeg")).files).size, 1);
  assert.equal(firstPicture([]), undefined);
});

test("the time left follows the pace of late, and is not invented", () => {
  const pace = createPace();
  assert.equal(pace.seconds(100), null);
  pace.mark(0, 0);
  pace.mark(1000, 100);
  assert.equal(pace.seconds(100), null); // too early to say
  pace.mark(10_000, 1000);
  assert.equal(pace.seconds(500), 5);
  pace.mark(100_000, 1000 + 90_000); // ten times faster of late: the beginning is forgotten
  assert.equal(Math.round(pace.seconds(90_000)), 90);
  pace.reset();
  assert.equal(pace.seconds(1), null);
});

/** The key table: no doubles, keyboards of other countries, single keys that can be switched off. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { DIRECTIONS, GROUPS, KEYS, entryOf, isCharacter, nameOf, printed, read } from "../../annotation/static/annotation/keys.js";

const HERE = { selected: false, inViewer: true, characters: true };
const press = (key, more = {}) => ({ key, code: "", shiftKey: false, ctrlKey: false, metaKey: false, altKey: false, getModifierState: () => false, ...more });
const meaning = (event, state = {}) => read(event, { ...HERE, ...state })?.command ?? null;

test("no key means two things in one situation", () => {
  const taken = new Map();
  for (const entry of KEYS)
    for (const name of entry.keys)
      for (const view of entry.views ?? ["frame"])
        for (const when of entry.when ? [entry.when] : ["selected", "unselected"]) {
          const place = `${name} ${when} ${view}`;
          assert.ok(!taken.has(place), `${place}: ${taken.get(place)} and ${entry.command}`);
          taken.set(place, entry.command);
        }
});

test("every entry can be shown: a known group, a text, a printed key", () => {
  for (const entry of KEYS) {
    assert.ok(GROUPS.includes(entry.group));
    const names = printed(entry, (key) => `[${key}]`);
    assert.ok(names.length && names.every(Boolean), entry.command);
  }
  assert.deepEqual(printed(entryOf("undo"), (key) => ({ cap_ctrl: "Strg" })[key]), ["Strg+Z"]);
  assert.deepEqual(printed(entryOf("undo"), () => "", true), ["⌘Z"]);
});

test("the keys of the design page do what it says", () => {
  const table = {
    Enter: "validate", e: "nobody", u: "unreadable", s: "skip", r: "flag", n: "draw", o: "accept",
    f: "nextFrame", d: "previousFrame", Tab: "nextBox", Delete: "remove", Backspace: "remove",
    p: "copyLast", z: "zoomBox", h: "hideBoxes", l: "names", x: "crosshair", i: "blink", b: "tone",
    g: "goTo", Home: "first", End: "last", PageDown: "nextTen", PageUp: "previousTen", v: "nextTen", c: "previousTen",
    "+": "zoomIn", "-": "zoomOut", " ": "pan", "?": "help", F1: "help", Escape: "cancel",
  };
  for (const [key, command] of Object.entries(table)) assert.equal(meaning(press(key)), command, key);
  const ctrl = { z: "undo", y: "redo", s: "save", c: "copy", v: "paste", a: "selectAll", Enter: "validate" };
  for (const [key, command] of Object.entries(ctrl)) {
    assert.equal(meaning(press(key, { ctrlKey: true })), command, key);
    assert.equal(meaning(press(key, { metaKey: true })), command, key);
  }
  assert.equal(meaning(press("Z", { ctrlKey: true, shiftKey: true })), "redo");
  const shift = { N: "addCentre", F: "nextOpen", D: "previousOpen", P: "spread", I: "difference", V: "sheet", C: "crops" };
  for (const [key, command] of Object.entries(shift)) assert.equal(meaning(press(key, { shiftKey: true })), command);
  assert.equal(meaning(press("B", { shiftKey: true })), "toneReset");
  assert.equal(meaning(press("Tab", { shiftKey: true })), "previousBox");
});

test("the contact sheet decides with the same keys, and hears none that change boxes", () => {
  const sheet = { view: "sheet" };
  const table = { Enter: "validate", e: "nobody", u: "unreadable", s: "skip", r: "flag", m: "mark", " ": "mark", z: "closer", v: "nextTen", c: "previousTen", "?": "help" };
  for (const [key, command] of Object.entries(table)) assert.equal(meaning(press(key), sheet), command, key);
  for (const [key, command] of Object.entries({ Enter: "confirmAll", V: "sheet", C: "crops" }))
    assert.equal(meaning(press(key, { shiftKey: true }), sheet), command, key);
  assert.equal(meaning(press("z", { ctrlKey: true }), sheet), "undo");
  for (const arrow of Object.keys(DIRECTIONS)) assert.equal(meaning(press(arrow), { ...sheet, selected: true }), "step");
  for (const key of ["n", "Delete", "p", "1", "Tab"]) assert.equal(meaning(press(key), sheet), null, key);
});

test("the crops keep, refuse and give another class", () => {
  const crops = { view: "crops" };
  const table = { o: "keepCrop", Enter: "keepCrop", Delete: "refuseCrop", Backspace: "refuseCrop", f: "nextClass", d: "previousClass" };
  for (const [key, command] of Object.entries(table)) assert.equal(meaning(press(key), crops), command, key);
  for (const [key, command] of Object.entries({ Enter: "keepAll", V: "sheet", C: "crops" }))
    assert.equal(meaning(press(key, { shiftKey: true }), crops), command, key);
  assert.deepEqual([read(press("é", { code: "Digit2" }), { ...HERE, ...crops })].map(({ command, arg }) => [command, arg]), [["labelCrop", 2]]);
  for (const key of ["e", "u", "s", "r"]) assert.equal(meaning(press(key), crops), null, key); // no frame is decided here
});

test("digits are read by their place: on AZERTY they need Shift, and Shift+digit types a sign", () => {
  const azerty = read(press("é", { code: "Digit2" }), HERE);
  assert.deepEqual([azerty.command, azerty.arg], ["label", 2]);
  const shifted = read(press("2", { code: "Digit2", shiftKey: true }), HERE);
  assert.deepEqual([shifted.command, shifted.arg], ["activity", 2]);
  const qwerty = read(press("@", { code: "Digit2", shiftKey: true }), HERE);
  assert.deepEqual([qwerty.command, qwerty.arg], ["activity", 2]);
  assert.equal(meaning(press("à", { code: "Digit0" })), "fit");
  assert.deepEqual(read(press("7", { code: "Numpad7" }), HERE).arg, 7);
  assert.equal(meaning(press("ArrowLeft", { code: "Numpad4" })), "previousFrame");
});

test("letters are read as printed, and by place under another alphabet", () => {
  assert.equal(meaning(press("z", { code: "KeyW" })), "zoomBox"); // AZERTY
  assert.equal(meaning(press("у", { code: "KeyE" })), "nobody"); // Cyrillic
  assert.equal(meaning(press("N", { code: "KeyN" })), "draw"); // caps lock
  assert.equal(nameOf(press("€", { code: "KeyE", ctrlKey: true, altKey: true, getModifierState: (m) => m === "AltGraph" })), "€");
});

test("arrows move a selected box and go between frames without one", () => {
  assert.equal(meaning(press("ArrowRight")), "nextFrame");
  assert.equal(meaning(press("ArrowUp")), null);
  assert.deepEqual([1, 10], [{}, { shiftKey: true }].map((more) => read(press("ArrowUp", more), { ...HERE, selected: true }).arg));
  for (const more of [{ ctrlKey: true }, { altKey: true }]) assert.equal(meaning(press("ArrowUp", more), { selected: true }), "resize");
  assert.deepEqual(Object.keys(DIRECTIONS).map((name) => DIRECTIONS[name].map(Math.abs).reduce((a, b) => a + b)), [1, 1, 1, 1]);
});

test("outside the viewer only what is meant for the page is heard", () => {
  const outside = { inViewer: false };
  for (const key of ["e", "Enter", "Tab", " ", "Delete", "1", "ArrowRight", "?"]) assert.equal(meaning(press(key), outside), null, key);
  assert.equal(meaning(press("z", { ctrlKey: true }), outside), null); // the field's own undo
  assert.equal(meaning(press("Enter", { ctrlKey: true }), outside), "validate");
  assert.equal(meaning(press("Escape"), outside), "cancel");
});

test("single keys can be switched off (WCAG 2.1.4); those with Ctrl and the named ones stay", () => {
  const off = { characters: false };
  for (const entry of KEYS)
    for (const name of entry.keys) {
      const single = /^(Shift\+)?(Digit\d?|[^A-Z]|[a-z])$/.test(name) && name.length > 0;
      assert.equal(isCharacter(name), single, name);
    }
  for (const key of ["e", "u", "?", "+"]) assert.equal(meaning(press(key), off), null);
  assert.equal(meaning(press("é", { code: "Digit2" }), off), null);
  for (const key of ["Enter", "Tab", "Escape", "Delete", "F1"]) assert.notEqual(meaning(press(key), off), null);
  assert.equal(meaning(press("z", { ctrlKey: true }), off), "undo");
});

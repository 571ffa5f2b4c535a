/**
 * THE key table: it feeds the handler, the help panel, the tooltips and a test for doubles.
 *
 * A key is written as its canonical name, modifiers first: "Ctrl+Shift+z", "Shift+Digit", "ArrowLeft", "?".
 * Letters are read as printed on the key, digits by their place (`event.code`), since on AZERTY the digit row
 * needs Shift; Shift is ignored for punctuation, whose place differs with the layout. "Digit" is any of 1–9
 * and is handed over as the command's argument; ⌘ counts as Ctrl.
 *
 * Entry: {command, keys, group, text, when?, scope?, hold?, arg?, views?}
 *   text   key of the translated words          when   "selected" | "unselected": needs a box, or none
 *   hold   done while the key is down           scope  "page": also outside the viewer and in fields
 *   views  where it works: of "frame", "sheet" (contact sheet) and "crops"; without it, in the frame view
 */

const ALL = ["frame", "sheet", "crops"];
const PICTURES = ["frame", "sheet"];
const SHEETS = ["sheet", "crops"];

export const KEYS = [
  { group: "decide", views: PICTURES, command: "validate", keys: ["Enter"], text: "validate" },
  { group: "decide", command: "validate", keys: ["Ctrl+Enter"], text: "validate_from_field", scope: "page" },
  { group: "decide", views: PICTURES, command: "nobody", keys: ["e"], text: "nobody" },
  { group: "decide", views: PICTURES, command: "unreadable", keys: ["u"], text: "unreadable" },
  { group: "decide", views: PICTURES, command: "skip", keys: ["s"], text: "skip" },
  { group: "decide", views: PICTURES, command: "flag", keys: ["r"], text: "flag" },
  { group: "decide", views: ALL, command: "undo", keys: ["Ctrl+z"], text: "undo" },
  { group: "decide", views: ALL, command: "redo", keys: ["Ctrl+Shift+z", "Ctrl+y"], text: "redo" },
  { group: "decide", views: ALL, command: "save", keys: ["Ctrl+s"], text: "save", scope: "page" },

  { group: "frames", command: "nextFrame", keys: ["f"], text: "next_frame" },
  { group: "frames", command: "previousFrame", keys: ["d"], text: "previous_frame" },
  { group: "frames", command: "nextFrame", keys: ["ArrowRight"], text: "next_frame", when: "unselected" },
  { group: "frames", command: "previousFrame", keys: ["ArrowLeft"], text: "previous_frame", when: "unselected" },
  { group: "frames", command: "blink", keys: ["i"], text: "blink", hold: true },
  { group: "frames", command: "difference", keys: ["Shift+i"], text: "difference" },
  { group: "frames", command: "nextOpen", keys: ["Shift+f"], text: "next_open" },
  { group: "frames", command: "previousOpen", keys: ["Shift+d"], text: "previous_open" },
  { group: "frames", views: PICTURES, command: "nextTen", keys: ["v", "PageDown"], text: "next_ten" },
  { group: "frames", views: PICTURES, command: "previousTen", keys: ["c", "PageUp"], text: "previous_ten" },
  { group: "frames", command: "first", keys: ["Home"], text: "first" },
  { group: "frames", command: "last", keys: ["End"], text: "last" },
  { group: "frames", command: "goTo", keys: ["g"], text: "go_to" },

  { group: "sheets", views: ALL, command: "sheet", keys: ["Shift+v"], text: "sheet" },
  { group: "sheets", views: ALL, command: "crops", keys: ["Shift+c"], text: "crops" },
  { group: "sheets", views: SHEETS, command: "step", ...arrows(""), text: "step" },
  { group: "sheets", views: SHEETS, command: "closer", keys: ["z"], text: "closer" },
  { group: "sheets", views: ["sheet"], command: "mark", keys: ["m", "Space"], text: "mark" },
  { group: "sheets", views: ["sheet"], command: "confirmAll", keys: ["Shift+Enter"], text: "confirm_all" },
  { group: "sheets", views: ["crops"], command: "keepCrop", keys: ["o", "Enter"], text: "keep_crop" },
  { group: "sheets", views: ["crops"], command: "refuseCrop", keys: ["Delete", "Backspace"], text: "refuse_crop" },
  { group: "sheets", views: ["crops"], command: "labelCrop", keys: ["Digit"], text: "label_crop" },
  { group: "sheets", views: ["crops"], command: "activityCrop", keys: ["Shift+Digit"], text: "activity_crop" },
  { group: "sheets", views: ["crops"], command: "keepAll", keys: ["Shift+Enter"], text: "keep_all" },
  { group: "sheets", views: ["crops"], command: "nextClass", keys: ["f"], text: "next_class" },
  { group: "sheets", views: ["crops"], command: "previousClass", keys: ["d"], text: "previous_class" },

  { group: "boxes", command: "draw", keys: ["n"], text: "draw" },
  { group: "boxes", command: "addCentre", keys: ["Shift+n"], text: "add_centre" },
  { group: "boxes", views: ALL, command: "cancel", keys: ["Escape"], text: "cancel", scope: "page" },
  { group: "boxes", command: "label", keys: ["Digit"], text: "set_label" },
  { group: "boxes", command: "activity", keys: ["Shift+Digit"], text: "set_activity" },
  { group: "boxes", command: "accept", keys: ["o"], text: "accept" },
  { group: "boxes", command: "bringBack", keys: ["Shift+o"], text: "bring_back" },
  { group: "boxes", command: "nextBox", keys: ["Tab"], text: "next_box" },
  { group: "boxes", command: "previousBox", keys: ["Shift+Tab"], text: "previous_box" },
  { group: "boxes", command: "selectAll", keys: ["Ctrl+a"], text: "select_all" },
  { group: "boxes", command: "move", ...arrows(""), text: "move", when: "selected", arg: 1 },
  { group: "boxes", command: "move", ...arrows("Shift+"), text: "move_far", when: "selected", arg: 10 },
  { group: "boxes", command: "resize", ...arrows("Ctrl+", "Alt+"), text: "resize", when: "selected", arg: 1 },
  {
    ...{ group: "boxes", command: "resize", text: "resize_far", when: "selected", arg: 10 },
    ...arrows("Ctrl+Shift+", "Alt+Shift+"),
  },
  { group: "boxes", command: "remove", keys: ["Delete", "Backspace"], text: "remove" },
  { group: "boxes", command: "copyLast", keys: ["p"], text: "copy_last" },
  { group: "boxes", command: "spread", keys: ["Shift+p"], text: "spread" },
  { group: "boxes", command: "copy", keys: ["Ctrl+c"], text: "copy" },
  { group: "boxes", command: "paste", keys: ["Ctrl+v"], text: "paste" },

  { group: "view", command: "zoomIn", keys: ["+"], text: "zoom_in" },
  { group: "view", command: "zoomOut", keys: ["-"], text: "zoom_out" },
  { group: "view", command: "fit", keys: ["Digit0"], text: "fit" },
  { group: "view", command: "zoomBox", keys: ["z"], text: "zoom_box" },
  { group: "view", command: "pan", keys: ["Space"], text: "pan", hold: true },
  { group: "view", command: "hideBoxes", keys: ["h"], text: "hide_boxes", hold: true },
  { group: "view", command: "names", keys: ["l"], text: "names" },
  { group: "view", command: "crosshair", keys: ["x"], text: "crosshair" },
  { group: "view", command: "tone", keys: ["b"], text: "tone" },
  { group: "view", command: "toneReset", keys: ["Shift+b"], text: "tone_reset" },
  { group: "view", views: ALL, command: "help", keys: ["?"], text: "help" },
  { group: "view", views: ALL, command: "help", keys: ["F1"], text: "help", scope: "page" },
];

/** Order of the help panel. */
export const GROUPS = ["decide", "boxes", "sheets", "view", "frames"];

function arrows(...prefixes) {
  const names = ["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown"];
  return { keys: prefixes.flatMap((prefix) => names.map((name) => prefix + name)), arrows: prefixes };
}

/** The direction of an arrow key, as steps right and down. */
export const DIRECTIONS = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

/**
 * Canonical name of a keydown or keyup.
 * @param {{key: string, code?: string, shiftKey?: boolean, ctrlKey?: boolean, metaKey?: boolean, altKey?: boolean}} event
 */
export function nameOf(event) {
  const altGr = event.getModifierState?.("AltGraph") ?? false;
  const ctrl = (event.ctrlKey || event.metaKey) && !altGr;
  const alt = event.altKey && !altGr;
  const { name, shift } = bare(event);
  return `${ctrl ? "Ctrl+" : ""}${alt ? "Alt+" : ""}${shift ? "Shift+" : ""}${name}`;
}

function bare({ key, code = "", shiftKey: shift = false }) {
  const digit = /^(?:Digit|Numpad)(\d)$/.exec(code);
  // With the number lock off, the number pad sends arrows: those have long names.
  if (digit && key.length === 1) return { name: `Digit${digit[1]}`, shift };
  if (key === " ") return { name: "Space", shift };
  if (key.length > 1) return { name: key, shift };
  // On AZERTY "-" lies on the digit row, so that the key right of 0 must zoom out as well.
  if (code === "Minus" && !shift) return { name: "-", shift: false };
  if (key === "=") return { name: "+", shift: false };
  const letter = key.toLowerCase();
  if (/^[a-z]$/.test(letter)) return { name: letter, shift };
  // Another alphabet: the place of the key stands for the letter.
  const place = /^Key([A-Z])$/.exec(code);
  if (place && /\p{L}/u.test(key)) return { name: place[1].toLowerCase(), shift };
  return { name: key, shift: false };
}

/** Letters, digits and signs, alone or with Shift: those that WCAG 2.1.4 wants to be switched off. */
export const isCharacter = (name) => /^(?:Shift\+)?(?:Digit\d?|.)$/.test(name);

const TABLE = new Map();
for (const entry of KEYS)
  for (const name of entry.keys) {
    const rows = TABLE.get(name) ?? [];
    rows.push(entry);
    TABLE.set(name, rows);
  }

/**
 * What a key means here, or null.
 *
 * @param {{selected: boolean, inViewer: boolean, characters: boolean, view?: string}} state a box is selected; the
 *   viewer has the focus; single keys are switched on; which view is shown
 * @returns {{command: string, arg: number|null, name: string, entry: object}|null} arg: the digit, or the pixels
 */
export function read(event, { selected, inViewer, characters, view = "frame" }) {
  const name = nameOf(event);
  const digit = /^((?:Shift\+)?)Digit([1-9])$/.exec(name);
  const rows = TABLE.get(digit ? `${digit[1]}Digit` : name) ?? [];
  const entry = rows.find(
    ({ when, scope, views = ["frame"] }) =>
      views.includes(view) && (inViewer || scope === "page") && (!when || (when === "selected") === selected),
  );
  if (!entry || (!characters && isCharacter(name))) return null;
  return { command: entry.command, arg: digit ? Number(digit[2]) : (entry.arg ?? null), name, entry };
}

/** The keys of a command as printed: ["Ctrl+Z"]; `words` translates names such as Enter, `mac` writes ⌘. */
export function printed(entry, words, mac = false) {
  if (entry.arrows)
    return entry.arrows.map((prefix) => modifiers(prefix, words, mac) + words("cap_arrows"));
  return entry.keys.map((name) => {
    const parts = /^((?:(?:Ctrl|Alt|Shift)\+)*)(.+)$/.exec(name);
    return modifiers(parts[1], words, mac) + cap(parts[2], words);
  });
}

const CAPS = {
  Enter: "cap_enter",
  Escape: "cap_escape",
  Tab: "cap_tab",
  Space: "cap_space",
  Delete: "cap_delete",
  Backspace: "cap_backspace",
  Home: "cap_home",
  End: "cap_end",
  PageUp: "cap_page_up",
  PageDown: "cap_page_down",
};

function cap(name, words) {
  if (name in CAPS) return words(CAPS[name]);
  if (name === "Digit") return "1–9";
  if (name === "Digit0") return "0";
  if (name === "-") return "−";
  const arrow = { ArrowLeft: "←", ArrowRight: "→", ArrowUp: "↑", ArrowDown: "↓" }[name];
  return arrow ?? (name.length === 1 ? name.toUpperCase() : name);
}

function modifiers(prefix, words, mac) {
  return prefix
    .replace("Ctrl+", mac ? "⌘" : `${words("cap_ctrl")}+`)
    .replace("Alt+", mac ? "⌥" : `${words("cap_alt")}+`)
    .replace("Shift+", mac ? "⇧" : `${words("cap_shift")}+`);
}

/** Main entry of a command, for its button. */
export const entryOf = (command) => KEYS.find((entry) => entry.command === command) ?? null;

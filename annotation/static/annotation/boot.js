/** Wires the modules of the review page to its data- attributes, keys, buttons and events. No rule lives here. */

import { createCanvas } from "./canvas.js";
import { createCrops } from "./crops.js";
import { createCommands } from "./commands.js";
import { createDetail } from "./detail.js";
import { askConflict, askNumber, fillHelp, fillTimes } from "./dialogs.js";
import { createEditing } from "./editing.js";
import { shownSize } from "./geometry.js";
import { attachGestures } from "./gestures.js";
import { entryOf, printed, read } from "./keys.js";
import { createList } from "./list.js";
import { createMemory } from "./memory.js";
import { createNotices } from "./notices.js";
import { createOutbox } from "./outbox.js";
import { byTime } from "./paging.js";
import { createPalette } from "./palette.js";
import { createPictures } from "./pictures.js";
import { createPrefs } from "./prefs.js";
import { createRound } from "./round.js";
import { createScreen } from "./screen.js";
import { createSheet } from "./sheet.js";
import { createSitting } from "./sitting.js";
import { createSync } from "./sync.js";
import { createText } from "../lacs_web/text.js";
import { createViews } from "./views.js";
import { createWords } from "./words.js";

/** Leases last minutes; asking once a minute also survives a request that fails. */
const RENEW_MS = 60_000;
/** A person away for longer lets the frames go to others. */
const AWAY_MS = 10 * 60_000;

const root = document.getElementById("review");
const json = (id) => JSON.parse(document.getElementById(id).textContent);
const part = (name) => root.querySelector(`[data-part="${name}"]`);
const dialog = (name) => document.querySelector(`dialog[data-dialog="${name}"]`);

const labels = json("review-labels");
const activities = json("review-activities");
const text = createText(json("review-text"), document.documentElement.lang || "en");
const words = createWords({ text, labels, activities });
const mac = /Mac|iPhone|iPad/.test(navigator.platform);

/** Storage may be forbidden; the page works without it, and says nothing is kept only when that matters. */
function storage() {
  try {
    return window.localStorage;
  } catch {
    return { length: 0, key: () => null, getItem: () => null, setItem() {}, removeItem() {} };
  }
}

/** The cookie is the fresher one: it changes when the person signs in again in another tab. */
function csrf() {
  const cookie = /(?:^|;\s*)csrftoken=([^;]+)/.exec(document.cookie);
  return cookie?.[1] ?? document.querySelector('meta[name="csrf-token"]')?.content ?? "";
}

/**
 * What a key has changed is on the screen: the line, and the server that may run on this very machine, come after it.
 * A page that is hidden or slow paints nothing, and does not wait for that.
 */
const painted = () =>
  new Promise((resolve) => {
    if (document.hidden) resolve();
    else requestAnimationFrame(() => setTimeout(resolve));
    setTimeout(resolve, 100);
  });

const { claimUrl, frameUrlTemplate, day, user, person, activityLabel, icons } = root.dataset;
const prefs = createPrefs(storage(), user);
const pictures = createPictures();
const regions = createPictures();
const notices = createNotices({ host: part("notices"), live: part("live"), toast: part("toast"), giveFocus: () => focusViewer() });
const sync = createSync({
  async fetch(url, options) {
    if (!options.keepalive) await painted();
    return fetch(url, options);
  },
  outbox: createOutbox(storage(), user),
  claimUrl,
  frameUrl: frameUrlTemplate,
  csrf,
  person,
  day: day || null,
});

// On a thin line the next frame's picture must not wait for the one after it: one at a time, in order.
let loading = Promise.resolve();
const prepare = (frame) => {
  loading = loading.then(painted).then(() => pictures.get(frame.image).ready);
};
const sitting = createSitting({
  ...{ sync, prepare, memory: createMemory(storage(), user) },
  notes: createOutbox(storage(), `notes-${user}`),
});

const mode = { armed: false, panning: false, zoomed: null };
const viewer = part("viewer");
const canvas = createCanvas({
  viewer,
  layer: part("layer"),
  svg: part("overlay"),
  describe: words.describe,
  name: words.name,
  onView: () => detail.look(),
});
const edit = createEditing({
  labels: labels.map((entry) => entry.value),
  activities: activities.map((entry) => entry.value),
  active: activityLabel,
  here: () => ({ ...sitting.current, size: canvas.size }),
});
const list = createList({
  list: part("list"),
  edit,
  text,
  labels,
  activities,
  icons,
  words,
  onSelect(key) {
    const { store } = sitting.current;
    const folded = store.selection.length === 1 && store.selection[0] === key;
    store.select(folded ? [] : [key]);
    if (!folded) canvas.reveal(store.get(key));
  },
});
const palettes = {
  labels: createPalette(part("labels"), labels, { command: "label" }),
  activities: createPalette(part("activities"), activities, { command: "activity", prefix: "⇧" }),
};
const screen = createScreen({
  ...{ root, text, words, canvas, list, palettes, pictures, sitting, edit, prefs, notices, mode },
});
const detail = createDetail({ canvas, regions, frame: () => screen.plain });
const gestures = attachGestures({
  viewer,
  canvas,
  store: () => sitting.current?.store ?? null,
  edit,
  mode,
  disarm: () => screen.arm(false),
});
const sheet = createSheet({
  ...{ host: part("tiles"), lens: part("lens"), sitting, pictures, text, words },
});
const crops = createCrops({
  ...{ host: part("crop-tiles"), classes: part("crop-classes"), done: part("crops-done"), decide: part("crop-decide"), select: part("crop-label") },
  ...{ labels, sitting, pictures, regions, edit, text, words },
  onEmpty: () => focusViewer(),
});
const views = createViews({ sitting, screen, sheet });
const commands = createCommands({
  ...{ sheet, crops, views, sitting, sync, canvas, edit, screen, notices, prefs, text, words, labels, activities, mode },
  help: () => dialog("help").showModal(),
  goTo() {
    times("");
    dialog("times").showModal();
    part("times-typed").focus();
  },
  askSpread({ boxes, frames }) {
    part("spread-text").textContent = text("spread_ask", { n: boxes });
    return askNumber(dialog("spread"), frames);
  },
});

// ── Keys ────────────────────────────────────────────────────────────────────────────────────────

const held = new Map(); // event.code → command, while the key is down
/** Commands that work with no frame on the screen. */
const ALWAYS = new Set(["help", "save", "undo", "cancel", "frame", "sheet", "crops"]);
/** Held keys repeat by themselves where small steps add up; a decision must never repeat. */
const REPEATS = new Set(["move", "resize", "zoomIn", "zoomOut", "nextBox", "previousBox", "undo", "redo", "step"]);
let lastSign = performance.now();

function alive() {
  lastSign = performance.now();
  sitting.current?.watch.touch();
}

function run(command, given) {
  if (!sitting.current && !ALWAYS.has(command)) return true;
  const field = document.activeElement;
  if (field?.matches("[data-field]")) {
    // What was typed counts before what comes next; a button does not take the focus from it.
    field.blur();
    field.focus({ preventScroll: true });
  }
  const busy = gestures.cancel();
  if (busy && command === "cancel") return true;
  const result = commands[command](given);
  if (sitting.current) screen.history(views.name === "crops" ? crops : null);
  return result !== false;
}

root.addEventListener("keydown", (event) => {
  alive();
  if (event.isComposing || event.target.closest("dialog")) return;
  const inViewer = event.target.matches("[data-keys]");
  const store = sitting.current?.store;
  const meaning = read(event, {
    inViewer,
    selected: Boolean(store?.selection.length),
    characters: prefs.get("characters"),
    view: views.name,
  });
  if (!meaning) return;
  const { command, entry } = meaning;
  if (command === "cancel" && !inViewer) {
    part("tone").hidden = true;
    screen.settings();
    keysHere().focus();
  } else if (event.repeat && !REPEATS.has(command)) {
    // swallowed: neither done again nor left to the browser
  } else if (entry.hold) {
    held.set(event.code, command);
    run(command, { ...meaning, phase: "down" });
  } else if (!run(command, meaning)) return;
  event.preventDefault();
});

function release(code) {
  const command = held.get(code);
  if (!command) return;
  held.delete(code);
  commands[command]({ phase: "up" });
}
window.addEventListener("keyup", (event) => release(event.code));
const releaseAll = () => [...held.keys()].forEach(release);
window.addEventListener("blur", releaseAll);
viewer.addEventListener("blur", releaseAll);

// ── Buttons ─────────────────────────────────────────────────────────────────────────────────────

// A mouse on a button leaves the focus where the keys live.
root.addEventListener("mousedown", (event) => {
  if (event.target.closest("button[data-command]")) event.preventDefault();
});

root.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-command]");
  if (!button || button.getAttribute("aria-disabled") === "true") return;
  const { command, value } = button.dataset;
  const hold = entryOf(command)?.hold;
  run(command, { value, ...(hold && { phase: "toggle" }) });
  const byPointer = event.detail > 0;
  if (byPointer && sitting.current && command !== "tone" && command !== "help") keysHere().focus({ preventScroll: true });
});

part("crop-tiles").addEventListener("click", (event) => {
  const tile = event.target.closest(".crop");
  if (tile) crops.tap(tile.dataset.key);
});

for (const type of ["pointerdown", "pointermove", "wheel"])
  root.addEventListener(type, alive, { passive: true });
viewer.addEventListener("pointerdown", () => viewer.focus({ preventScroll: true }), { capture: true });

for (const button of root.querySelectorAll("button[data-command]")) {
  const entry = entryOf(button.dataset.command);
  if (!entry || button.closest('[data-part="labels"], [data-part="activities"]')) continue;
  const keys = printed(entry, text, mac);
  button.title = `${text(entry.text)} (${keys.join(", ")})`;
  const words = button.querySelector(".words");
  if (!words && !button.getAttribute("aria-label")) button.setAttribute("aria-label", text(entry.text));
  for (const kbd of button.querySelectorAll("kbd")) kbd.textContent = keys[0];
}
fillHelp(part("help-tables"), text, mac);

// ── Going to a time ─────────────────────────────────────────────────────────────────────────────

function times(typed) {
  part("times-typed").value = typed;
  fillTimes(part("times"), {
    visits: byTime(sitting.visits, typed),
    current: sitting.current,
    text,
    choose(visit) {
      dialog("times").close();
      sitting.show(visit);
    },
  });
}
part("times-typed").addEventListener("input", () => times(part("times-typed").value));
part("times-typed").addEventListener("keydown", (event) => {
  if (event.key !== "Enter") return;
  event.preventDefault();
  part("times").querySelector("button")?.click();
});
dialog("times").addEventListener("click", (event) => {
  if (event.target.closest("button[data-command]")) dialog("times").close();
});

// ── Fields ──────────────────────────────────────────────────────────────────────────────────────

for (const name of ["brightness", "contrast"])
  part(name).addEventListener("input", () => {
    prefs.set(name, part(name).valueAsNumber);
    screen.settings();
  });
for (const name of ["characters", "rounds"])
  part(name).addEventListener("change", () => {
    prefs.set(name, part(name).checked);
    screen.settings();
  });
part("comment").addEventListener("input", () => {
  if (sitting.current) sitting.note(part("comment").value);
});
part("crop-label").addEventListener("change", () => run("labelCrop", { value: part("crop-label").value }));
part("retry-picture").addEventListener("click", () => screen.retry());
part("unmask").addEventListener("click", async () => {
  const { frame } = sitting.current;
  try {
    const { image } = await sync.post(frame.unmask_url);
    Object.assign(frame, { image, masked: false });
    if (sitting.current?.frame === frame) {
      screen.mask();
      screen.place();
      viewer.focus();
    }
  } catch (error) {
    notices.say(error.data?.detail ?? text("line_down"));
  }
});
part("again").addEventListener("click", () => sitting.refill({ renew: true }));
for (const element of document.querySelectorAll("dialog[data-dialog]"))
  element.addEventListener("close", () => keysHere().focus());
for (const button of document.querySelectorAll("dialog [data-close]"))
  button.addEventListener("click", () => button.closest("dialog").close());

// ── The sitting and the line ────────────────────────────────────────────────────────────────────

/** Where the keys of the view that is shown live. */
const keysHere = () => ({
  frame: viewer,
  sheet: part("tiles"),
  crops: part(part("crop-tiles").hidden ? "crops-done" : "crop-tiles"),
})[views.name];

const focusViewer = () => {
  const busy = document.activeElement;
  const away = busy === document.body || busy === null || !busy.isConnected || busy.closest("[hidden]");
  if (away || busy.matches("[data-keys]")) keysHere().focus({ preventScroll: true });
};

let entered = "frame"; // the view that the last frame was shown in

sitting.on("show", ({ visit }) => {
  const fresh = entered !== views.name;
  entered = views.name;
  gestures.cancel(); // what the pointer had begun belongs to the frame before
  screen.arm(false);
  mode.zoomed = null;
  if (views.name === "frame") {
    if (fresh) canvas.measure();
    screen.open(visit);
    const [box] = visit.store.selected;
    if (fresh && box) canvas.reveal(box); // opened out of the crops, at the one of the cursor
  } else {
    screen.head(visit);
    if (views.name === "sheet") sheet.show(visit);
    else if (fresh) crops.enter();
    else crops.show();
  }
  focusViewer();
  if (visit.recovered) {
    visit.recovered = false;
    notices.say(text("recovered"));
  }
  // The picture before comes last: it is only needed when someone asks for it.
  const { previous } = visit.frame;
  if (previous && views.name === "frame") loading = loading.then(painted).then(() => sitting.current === visit && pictures.get(previous.image).ready);
});
sitting.on("waiting", ({ why }) => screen.rest(why));
sitting.on("empty", ({ left, rest }) => screen.rest(left ? "others" : "empty", { n: left }, rest));
sitting.on("failed", ({ detail }) => {
  screen.rest("failed");
  notices.show("claim", detail);
});
sitting.on("reopened", ({ visit }) => {
  if (screen.visit === visit) screen.verdict();
  if (views.name === "sheet") sheet.draw();
});
sitting.on("entered", () => {
  if (dialog("times").open) times(part("times-typed").value);
  if (!sitting.current) return;
  if (views.name === "sheet") sheet.show(sitting.current);
  else if (views.name === "crops") crops.more();
});
sitting.on("count", (counts) => screen.count(counts));

sync.on("state", (state) => {
  screen.state(state);
  if (state.kind === "signedout")
    notices.show("signedout", text("signed_out"), [
      { text: text("reload"), run: () => window.location.reload() },
    ]);
  else notices.clear("signedout");
  if (["saved", "saving"].includes(state.kind)) {
    screen.retry(); // the line is back
    if (views.name === "sheet") sheet.retry();
  }
});
sync.on("reviewed", ({ id, doneToday, feedback }) => {
  screen.count({ doneToday });
  if (feedback)
    notices.show("feedback", text("feedback", { time: timeOf(id), said: feedback.text }), [
      { text: text("understood"), run: () => notices.clear("feedback") },
    ]);
});

/** How a notice names a frame. */
const timeOf = (id) => sitting.visit(id)?.frame.time_label ?? "";

sync.on("refused", async ({ id, detail, verdict }) => {
  const name = `frame-${id}`;
  const known = Boolean(sitting.visit(id));
  // Whoever is at another frame by now goes on there, and comes back when they like.
  if (verdict && known) sitting.untaken(id);
  else if (verdict) await sitting.bring(id).catch(() => {});
  const open = () => {
    notices.clear(name);
    sitting.show(sitting.visit(id));
  };
  notices.show(name, text("refused", { time: timeOf(id), detail }), [
    ...(known && sitting.current?.frame.id !== id ? [{ text: text("button_open"), run: open }] : []),
    { text: text("understood"), run: () => notices.clear(name) },
  ]);
});

sync.on("lost", ({ id, detail, code }) => {
  const name = `frame-${id}`;
  const letGo = {
    text: text("let_go"),
    run() {
      notices.clear(name);
      sync.discard(id);
      sitting.drop(id);
    },
  };
  const taken = code === "taken";
  const again = {
    text: text("try_again"),
    run: async () => ((await sync.retry(id)) ? notices.clear(name) : tell(taken ? "lost_still" : "refused")),
  };
  const tell = (key) =>
    notices.show(name, text(key, { time: timeOf(id), detail }), code === "settled" ? [letGo] : [again, letGo]);
  tell(taken ? "lost" : "refused");
});

sync.on("conflict", ({ id, mine, theirs }) => {
  const name = `frame-${id}`;
  notices.show(name, text("conflict", { time: timeOf(id) }), [
    {
      text: text("compare"),
      async run() {
        const visit = sitting.visit(id) ?? (await sitting.bring(id).catch(() => null));
        const frame = visit?.frame;
        const side = await askConflict(dialog("conflict"), {
          ...{ mine, theirs, text, count: words.count },
          image: frame?.image ?? null,
          size: frame ? shownSize(frame.width, frame.height) : { width: 4, height: 3 },
        });
        if (!side) return;
        notices.clear(name);
        // Through the store, so that undo brings the other side back.
        if (visit && side === "theirs") {
          visit.store.replace(theirs);
          sitting.show(visit);
        }
        sync.resolve(id, side);
      },
    },
  ]);
});

window.addEventListener("online", () => {
  sync.flush();
  sitting.refill({ renew: true });
});
document.addEventListener("visibilitychange", () => {
  if (document.hidden) {
    sitting.current?.watch.pause();
    sync.flush();
  } else alive();
});
window.addEventListener("pagehide", () => sync.leave());
setInterval(() => {
  if (!document.hidden && performance.now() - lastSign < AWAY_MS) sitting.refill({ renew: true });
}, RENEW_MS);

createRound({
  ...{ part, sitting, sync, text, dialog: dialog("round"), wanted: () => prefs.get("rounds") },
  ...{ ask: sync.get, url: root.dataset.roundUrl, since: root.dataset.since },
  precision: root.dataset.precision || null,
});

screen.settings();
screen.state(sync.state);
sitting.start();

/** Wires the page of handing over a card: its parts, events and words. No rule lives here. */

import { createText } from "../lacs_web/text.js";
import { canChooseFolders, ofDrop, ofInput, Unlisted } from "./folder.js";
import { createHashing } from "./hashing.js";
import { firstPicture, takeStock } from "./manifest.js";
import { createPace } from "./pace.js";
import { createApi } from "./transport.js";
import { createUpload } from "./upload.js";

const HEAD_BYTES = 256 * 1024; // of a picture: its EXIF lies there
const FAILURES_SHOWN = 100;
const DRAW_MS = 250;
const SPEAK_MS = 30_000; // between two sentences to a screen reader

const root = document.getElementById("hand-over");
const part = (name) => root.querySelector(`[data-part="${name}"]`);
const json = (id) => JSON.parse(document.getElementById(id).textContent);
const language = document.documentElement.lang || "en";
const text = createText(json("hand-over-text"), language);
const limits = json("hand-over-limits");
const { openUrl, proposeUrl, cardApi, cardPage, worker } = root.dataset;
const pageOf = (batch) => cardPage.replace("/0/", `/${batch}/`);
const api = createApi({
  open: openUrl,
  propose: proposeUrl,
  card: (batch) => cardApi.replace("/0", `/${batch}`),
  page: pageOf,
});
const hashing = createHashing(worker);
const pace = createPace();
const select = document.getElementById("deployment");
const input = document.getElementById("folder");

let card = null; // what was chosen: {source, files, leftOut}
let upload = null;

function show(name, visible, words) {
  const element = part(name);
  element.hidden = !visible;
  if (words !== undefined && element.textContent !== words) element.textContent = words;
}

function size(bytes) {
  const gigabytes = bytes / 1e9;
  return gigabytes >= 1 ? text("gigabytes", { n: gigabytes }) : text("megabytes", { n: Math.ceil(bytes / 1e6) });
}

// --- choosing ----------------------------------------------------------------------------------------------------

if (!canChooseFolders()) {
  input.removeAttribute("webkitdirectory");
  part("folder-label").textContent = text("choose_files");
  show("choose-problem", true, text("no_folders"));
}

input.addEventListener("change", () => chosen(ofInput(input)));
// Over a slow line a folder may be chosen before this script is here.
if (input.files.length) queueMicrotask(() => chosen(ofInput(input)));
const drop = part("drop");
drop.addEventListener("dragover", (event) => {
  event.preventDefault();
  drop.classList.add("over");
});
drop.addEventListener("dragleave", () => drop.classList.remove("over"));
drop.addEventListener("drop", async (event) => {
  event.preventDefault();
  drop.classList.remove("over");
  show("choose-problem", true, text("looking"));
  try {
    chosen(await ofDrop(event.dataTransfer));
  } catch (error) {
    if (!(error instanceof Unlisted)) throw error;
    show("form", false);
    show("choose-problem", true, text("unlisted", { path: error.path }));
  }
});

function chosen(files) {
  if (upload) return;
  card = takeStock(files);
  const { length } = card.files;
  const problem = length === 0 ? text("nothing") : length > limits.files ? text("too_many", { n: limits.files }) : "";
  show("choose-problem", problem !== "", problem);
  show("form", problem === "");
  if (problem) return;
  const bytes = card.files.reduce((sum, { file }) => sum + file.size, 0);
  show("source", card.source !== "", card.source);
  show("found", true, text("found", { n: length, size: size(bytes) }));
  showLeftOut(card.leftOut);
  propose(firstPicture(card.files));
  part("form").scrollIntoView({ block: "nearest" });
}

function showLeftOut(names) {
  show("left-out", names.length > 0);
  if (names.length) show("left-out-words", true, text("left_out", { n: names.length }));
  const lines = names.slice(0, FAILURES_SHOWN).map((name) => {
    const line = document.createElement("li");
    line.append(Object.assign(document.createElement("code"), { textContent: name }));
    return line;
  });
  if (names.length > lines.length) lines.push(Object.assign(document.createElement("li"), { textContent: "…" }));
  part("left-out-list").replaceChildren(...lines);
}

/** Which camera took the pictures, and where it stood; a guess that the person sees and may change. */
async function propose(picture) {
  show("camera", true, "");
  if (!picture) return;
  try {
    const { status, body } = await api.propose(picture.slice(0, HEAD_BYTES));
    if (status !== 200) return;
    const { serial, deployment } = body;
    if (!serial) show("camera", true, text("camera_unknown"));
    else if (!deployment) show("camera", true, text("camera_elsewhere", { serial }));
    else if (select.value && select.value !== deployment) show("camera", true, text("camera_is", { serial }));
    else {
      select.value = deployment;
      show("camera", true, text("camera_proposed", { serial }));
    }
  } catch {
    // Without an answer nothing is proposed; the person chooses.
  }
}

part("form").addEventListener("submit", (event) => {
  event.preventDefault();
  begin();
});

// --- on the way --------------------------------------------------------------------------------------------------

function begin() {
  upload = createUpload({
    files: card.files,
    source: card.source,
    leftOut: card.leftOut,
    deployment: select.value,
    largest: limits.bytes,
    api,
    ...hashing,
    sleep: (ms, signal) =>
      new Promise((resolve) => {
        const timer = setTimeout(resolve, ms);
        signal.addEventListener("abort", () => (clearTimeout(timer), resolve()), { once: true });
      }),
    onChange: changed,
  });
  show("choose", false);
  show("form", false);
  show("way", true);
  part("way").scrollIntoView({ block: "nearest" });
  addEventListener("beforeunload", warn);
  stayAwake();
  upload.start();
}

function warn(event) {
  event.preventDefault();
  event.returnValue = text("leave"); // older browsers ask for a value
}

let lock = null;
async function stayAwake() {
  if (!upload || upload.state.paused || document.visibilityState !== "visible") return;
  try {
    lock = await navigator.wakeLock?.request("screen");
  } catch {
    // Not allowed here, or the battery is low: the transfer goes on when the device wakes.
  }
}

document.addEventListener("visibilitychange", () => {
  if (document.visibilityState !== "visible") return;
  stayAwake();
  upload?.wake();
});
addEventListener("online", () => upload?.wake());
addEventListener("focus", () => upload?.wake());

part("pause").addEventListener("click", () => {
  if (upload.state.paused) {
    upload.goOn();
    stayAwake();
  } else {
    upload.pause();
    lock?.release();
  }
});
part("try-now").textContent = text("try_now");
part("try-now").addEventListener("click", () => upload.wake());
part("signin").textContent = text("sign_in");
part("again").textContent = text("try_failed_again");
part("again").addEventListener("click", () => upload.again());
part("finish").textContent = text("close_anyway");
part("finish").addEventListener("click", () => upload.finish());

let drawn = 0;
let timer = 0;
let spoken = 0;
let listed = null;
let lastWhy = null;

/** Called for every step of thousands of files; draws a few times a second. */
function changed(state) {
  if (state.closed) removeEventListener("beforeunload", warn);
  if (state.phase === "done") {
    clearTimeout(timer);
    draw(state);
    location.assign(pageOf(state.batch));
    return;
  }
  if (timer) return;
  timer = setTimeout(
    () => {
      timer = 0;
      drawn = performance.now();
      draw(state);
    },
    Math.max(0, DRAW_MS - (performance.now() - drawn)),
  );
}

function title(state) {
  if (state.phase === "stopped") return text("stopped", { reason: state.reason });
  if (state.phase === "attention") return text("failures", { n: state.failures.length });
  if (state.paused) return text("paused");
  return text(state.phase);
}

function timeLeft(seconds) {
  if (seconds === null) return text("time_unknown");
  const minutes = Math.round(seconds / 60);
  if (minutes < 1) return text("under_a_minute");
  if (minutes < 60) return text("minutes_left", { n: minutes });
  return text("hours_left", { hours: Math.floor(minutes / 60), minutes: minutes % 60 });
}

function draw(state) {
  const { files, bytes, why } = state;
  const done = bytes.done + state.onTheWay;
  const sending = state.phase === "sending" && !state.paused && !why;
  if (sending) pace.mark(performance.now(), done);
  else pace.reset();
  show("way-title", true, title(state));
  part("bar").value = bytes.all ? Math.round((1000 * done) / bytes.all) : 0;
  show("files", true, text("files_of", { done: files.done, all: files.all }));
  show("bytes", true, text("bytes_of", { done: size(done), all: size(bytes.all) }));
  show("left", sending, sending ? timeLeft(pace.seconds(bytes.all - done)) : "");
  const known = [];
  if (state.resumed) known.push(text("going_on", { n: state.resumed }));
  if (state.known) known.push(text("known", { n: state.known }));
  show("known", known.length > 0, known.join(" "));
  show("wait", why !== null && !state.paused);
  if (why) show("wait-words", true, text(`wait_${why}`));
  show("signin", why === "signed_out");
  const moving = state.phase === "preparing" || state.phase === "sending";
  show("pause", moving, text(state.paused ? "go_on" : "pause"));
  show("receipt", state.closed);
  if (state.closed) part("receipt").href = pageOf(state.batch);
  drawFailures(state);
  speak(state);
}

function drawFailures({ failures, phase }) {
  show("failures", failures.length > 0);
  show("failures-end", phase === "attention");
  if (!failures.length) return;
  show("failures-title", true, text("failures", { n: failures.length }));
  show("failures-hint", true, text("close_anyway_hint"));
  const list = part("failures-list");
  if (listed !== failures) list.replaceChildren();
  listed = failures;
  for (const { one, key, words } of failures.slice(list.childElementCount, FAILURES_SHOWN)) {
    const line = document.createElement("li");
    const name = document.createElement("code");
    name.textContent = one.path;
    line.append(name, ` – ${key ? text(key) : words}`);
    list.append(line);
  }
}

/** Says what it waits for at once, how far it has come now and then. */
function speak({ why, files, paused, phase }) {
  const now = performance.now();
  if (why === lastWhy && now - spoken < SPEAK_MS) return;
  lastWhy = why;
  spoken = now;
  part("live").textContent =
    why && !paused ? text(`wait_${why}`) : `${text(phase === "sending" ? "sending" : "preparing")} ${text("files_of", { done: files.done, all: files.all })}`;
}

/**
 * Shows a visit on the page: picture, boxes, bar, palettes, list, verdict; redraws what a change touched.
 * It decides nothing and sends nothing; commands.js does what a person asks for.
 */

import { boxId } from "./canvas.js";
import { shownSize } from "./geometry.js";
import { isSuggestion } from "./store.js";

/**
 * @param {object} given the modules of one page, see boot.js
 */
export function createScreen({ root, text, words, canvas, list, palettes, pictures, sitting, edit, prefs, notices, mode }) {
  const part = (name) => root.querySelector(`[data-part="${name}"]`);
  const viewer = part("viewer");
  let visit = null;
  let view = "frame";
  let unsubscribe = [];
  let blinking = false;
  let differing = false;

  const show = (name, visible) => (part(name).hidden = !visible);
  const write = (name, value) => (part(name).textContent = value);

  // ── The picture ───────────────────────────────────────────────────────────────────────────

  /** Put the right picture in place as soon as it is there: the frame's, or the last one's while held. */
  function place() {
    const { frame } = visit;
    const url = blinking ? frame.previous.image : frame.image;
    const entry = pictures.get(url);
    const wanted = visit;
    viewer.dataset.picture = entry.state;
    viewer.setAttribute("aria-busy", String(entry.state === "loading"));
    show("picture-loading", entry.state === "loading");
    show("picture-failed", entry.state === "failed");
    canvas.picture(entry.state === "ready" ? entry.image : null, entry.state === "ready" ? over() : null);
    if (entry.state === "loading")
      entry.ready.then(() => {
        if (visit === wanted && url === (blinking ? frame.previous?.image : frame.image)) place();
      });
  }

  /** The picture before, to be taken from this one; null until it has come. */
  function over() {
    if (!differing || blinking) return null;
    const before = pictures.get(visit.frame.previous.image);
    const wanted = visit;
    if (before.state === "loading") before.ready.then(() => differing && visit === wanted && place());
    return before.state === "ready" ? before.image : null;
  }

  /** Show what differs from the picture before. */
  function difference(on) {
    if (!visit?.frame.previous || differing === on) return;
    differing = on;
    press("difference", on);
    show("blinking", on);
    if (on) write("blinking", text("differing", { time: visit.frame.previous.time_label }));
    place();
  }

  /** Ask again for a picture that could not be loaded. */
  function retry() {
    if (view !== "frame" || !visit || sitting.current !== visit || viewer.dataset.picture !== "failed") return;
    pictures.retry(blinking ? visit.frame.previous.image : visit.frame.image);
    place();
  }

  function blink(on) {
    if (!visit?.frame.previous || blinking === on) return;
    difference(false);
    blinking = on;
    show("blinking", on);
    press("blink", on);
    if (on) write("blinking", text("blinking", { time: visit.frame.previous.time_label }));
    place();
  }

  // ── The frame ─────────────────────────────────────────────────────────────────────────────

  function open(next) {
    for (const stop of unsubscribe) stop();
    visit = next;
    blinking = differing = false;
    show("blinking", false);
    press("blink", false);
    press("difference", false);
    const { frame, store } = visit;
    const size = shownSize(frame.width, frame.height);
    canvas.show(store, size, null);
    list.show(store, size);
    place();
    retry(); // it was asked for ahead of time, while the line was down perhaps
    unsubscribe = [
      store.on("change", () => {
        canvas.sync();
        list.render();
        boxes();
      }),
      store.on("select", () => {
        canvas.draw();
        list.mark();
        selection();
      }),
    ];
    part("comment").value = visit.comment;
    head(visit);
    boxes();
    selection();
    verdict();
    notices.whisper(text("frame_shown", { time: frame.time_label, boxes: words.count(store.boxes) }));
  }

  /** The bar at the top: which frame is at the cursor, in any view. */
  function head(next) {
    visit = next;
    const { frame } = visit;
    working();
    write("day", frame.day_label);
    write("time", frame.time_label);
    write("deployment", frame.deployment);
    part("time").setAttribute("datetime", frame.captured_at);
    mask();
    show("machine-waiting", frame.machine === "waiting");
    show("doubt", Boolean(frame.doubt));
    write("doubt", frame.doubt);
    root.dataset.frame = frame.id;
    show("verdict", visit.verdict !== null);
    if (visit.verdict !== null) write("verdict", text(`verdict_${visit.verdict}`));
    history();
  }

  const VIEWS = { frame: "work", sheet: "sheet", crops: "crops" };

  /** Something is there to work on: the view, and not the words that nothing is. */
  function working() {
    for (const [name, place] of Object.entries(VIEWS)) show(place, name === view);
    show("rest", false);
  }

  function mask() {
    const { frame } = visit;
    show("masked", frame.masked);
    part("masked").title = frame.mask_stays ?? "";
    show("unmask", frame.masked && Boolean(frame.unmask_url));
  }

  /** Words that count boxes. */
  function boxes() {
    const { store } = visit;
    const all = store.boxes;
    const suggested = all.filter(isSuggestion).length;
    write("boxes-count", text("boxes", { n: all.length }));
    write("validate-count", all.length ? text("validate_boxes", { n: all.length }) : text("validate_none"));
    show("no-boxes", all.length === 0);
    const left = visit.left.filter((box) => !store.get(box.key));
    show("left-out", left.length > 0);
    if (left.length) write("left-out-text", text("left_out", { n: left.length }));
    canvas.leftOut(left);
    const followed = visit.followed.filter((key) => store.get(key)).length;
    show("followed", followed > 0);
    if (followed) write("followed", text("followed", { n: followed }));
    show("suggested-hint", suggested > 0);
    if (suggested) write("suggested-hint", text("suggested_hint", { n: suggested }));
    history();
    selection();
  }

  /** @param {{canUndo: boolean, canRedo: boolean}|null} crops which have a way back of their own */
  function history(crops = null) {
    enable("undo", crops?.canUndo ?? sitting.canUndo);
    enable("redo", crops?.canRedo ?? (visit.store.canRedo || visit.takenBack !== null));
    const before = sitting.lastBoxes.length;
    enable("copyLast", before > 0);
  }

  function enable(command, possible) {
    // Not `disabled`: that would throw the focus away from a button pressed until it has no more to do.
    for (const button of root.querySelectorAll(`[data-command="${command}"]`))
      button.setAttribute("aria-disabled", String(!possible));
  }

  function selection() {
    const { store } = visit;
    const { selected } = store;
    const labels = selected.length ? selected.map((box) => box.label) : [edit.next.label];
    const withActivity = selected.filter(edit.hasActivity);
    const activities = selected.length ? withActivity.map((box) => box.activity) : [edit.next.activity];
    palettes.labels.show(labels);
    palettes.activities.show(activities, selected.length > 0 && withActivity.length === 0);
    write("palette-target", text(selected.length ? "target_selected" : "target_next", { n: selected.length }));
    for (const command of ["remove", "zoomBox"]) enable(command, selected.length > 0 || (command === "zoomBox" && store.boxes.length > 0));
    enable("accept", selected.some(isSuggestion));
    if (selected.length === 1) {
      viewer.setAttribute("aria-activedescendant", boxId(selected[0].key));
      const place = store.boxes.indexOf(selected[0]) + 1;
      notices.whisper(text("box_selected", { place, n: store.boxes.length, box: words.describe(selected[0]) }));
    } else viewer.removeAttribute("aria-activedescendant");
  }

  function verdict() {
    show("verdict", visit.verdict !== null);
    if (visit.verdict !== null) write("verdict", text(`verdict_${visit.verdict}`));
    history();
  }

  // ── What stays between frames ─────────────────────────────────────────────────────────────

  function press(command, on) {
    for (const button of root.querySelectorAll(`[data-command="${command}"]`))
      button.setAttribute("aria-pressed", String(on));
  }

  function settings() {
    const [brightness, contrast] = [prefs.get("brightness"), prefs.get("contrast")];
    const plain = brightness === 100 && contrast === 100;
    part("layer").style.filter = plain ? "" : `brightness(${brightness}%) contrast(${contrast}%)`;
    for (const name of ["brightness", "contrast"]) {
      part(name).value = prefs.get(name);
      write(`${name}-value`, text.percent(prefs.get(name) / 100));
    }
    canvas.shown.names = prefs.get("names");
    canvas.shown.crosshair = prefs.get("crosshair");
    press("names", canvas.shown.names);
    press("crosshair", canvas.shown.crosshair);
    press("tone", !part("tone").hidden);
    root.classList.toggle("toned", !plain);
    for (const name of ["characters", "rounds"]) part(name).checked = prefs.get(name);
    root.classList.toggle("no-characters", !prefs.get("characters"));
    canvas.draw();
  }

  function arm(on) {
    mode.armed = on;
    canvas.shown.armed = on;
    viewer.classList.toggle("armed", on);
    press("draw", on);
    show("armed", on);
    canvas.draw();
  }

  function hideBoxes(on) {
    canvas.shown.boxes = !on;
    press("hideBoxes", on);
    canvas.draw();
  }

  return {
    part,
    open,
    head,
    /** Which view is shown from now on: "frame", "sheet" or "crops". */
    view(name) {
      view = name;
      root.dataset.view = name;
      for (const each of Object.keys(VIEWS)) press(each, each === name);
      if (part("rest").hidden) working();
    },
    place,
    retry,
    mask,
    blink,
    difference,
    get differing() {
      return differing;
    },
    /** The frame whose picture is plainly shown: not the one before, nor their difference. */
    get plain() {
      return view === "frame" && visit && !blinking && !differing && viewer.dataset.picture === "ready" ? visit.frame : null;
    },
    verdict,
    history,
    settings,
    arm,
    hideBoxes,
    press,
    get visit() {
      return visit;
    },
    get blinking() {
      return blinking;
    },
    /** Whether a visit's picture is there: what was not seen cannot be judged. */
    pictureReady: ({ frame }) => pictures.get(frame.image).state === "ready",
    /** Nothing to work on: say why, and what to do next. */
    rest(key, values = {}, given = null) {
      for (const place of Object.values(VIEWS)) show(place, false);
      show("rest", true);
      part("rest").dataset.why = key;
      write("rest-title", given?.title ?? text(`rest_${key}`, values));
      write("rest-text", given?.text ?? text(`rest_${key}_text`, values));
      show("rest-next", Boolean(given?.url));
      if (given?.url) Object.assign(part("rest-next"), { href: given.url, textContent: given.action });
      show("rest-actions", key !== "claiming");
    },
    /** The state chip. */
    state({ kind, pending }) {
      const chip = part("state");
      if (chip.dataset.kind !== kind) chip.dataset.kind = kind;
      write("state-text", text(`state_${kind}`, { n: pending }));
    },
    count({ doneToday, left }) {
      if (doneToday !== null && doneToday !== undefined) write("done", text("done_today", { n: doneToday }));
      if (left !== null && left !== undefined) write("left", text("left", { n: left }));
    },
  };
}

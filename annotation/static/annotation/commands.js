/**
 * What each command of the key table does. Keys and buttons both end here, so that neither can do more.
 *
 * A command gets {arg, name, phase, source} and returns false when it leaves the key to the browser.
 * phase is "down" or "up" for commands that are held.
 */

import { isSuggestion } from "./store.js";

const ZOOM_STEP = 1.5;

/** @param {object} given the modules of one page, see boot.js */
export function createCommands({ sitting, sync, canvas, edit, screen, notices, prefs, text, words, labels, activities, mode, help }) {
  const { say } = notices;
  const store = () => sitting.current?.store ?? null;
  let asked = null; // the visit that "nobody" was refused on once

  function decide(verdict) {
    const visit = sitting.current;
    if (!visit) return;
    if (["boxes", "nobody"].includes(verdict) && !screen.pictureReady) {
      say(text("picture_not_seen"));
      return;
    }
    const stated = visit.store.boxes.filter((box) => !isSuggestion(box)).length;
    if (verdict === "nobody" && stated && asked !== visit) {
      asked = visit;
      say(text("nobody_sure", { n: stated }));
      return;
    }
    asked = null;
    say(text(`said_${verdict}`, { time: visit.frame.time_label, n: visit.store.boxes.length }));
    sitting.decide(verdict);
  }

  function reveal(key) {
    const box = store().get(key);
    store().select([key]);
    canvas.reveal(box);
  }

  function cycle(step) {
    const key = store() && edit.neighbour(step);
    if (!key) return false;
    reveal(key);
    return true;
  }

  function go(step) {
    if (!sitting.go(step)) say(text(step > 0 ? "no_next" : "no_previous"));
  }

  function told(name) {
    if (name === null) say(text("nothing_to_undo"));
    else if (name !== "decision") notices.whisper(text("step_done"));
  }

  function toggle(pref) {
    prefs.set(pref, !prefs.get(pref));
    screen.settings();
    say(text(prefs.get(pref) ? `${pref}_on` : `${pref}_off`));
  }

  return {
    validate: () => decide(store()?.boxes.length ? "boxes" : "nobody"),
    nobody: () => decide("nobody"),
    unreadable: () => decide("unreadable"),
    skip: () => decide("skip"),
    flag: () => decide("flag"),
    undo: () => told(sitting.undo()),
    redo: () => told(sitting.redo()),
    save() {
      sync.flush();
      say(text("already_saved"));
    },

    nextFrame: () => go(1),
    previousFrame: () => go(-1),
    blink({ phase }) {
      if (phase !== "up" && !sitting.current?.frame.previous) say(text("no_earlier_picture"));
      else screen.blink(phase === "toggle" ? !screen.blinking : phase === "down");
    },

    draw: () => screen.arm(!mode.armed),
    addCentre() {
      const sight = canvas.inSight;
      edit.addAt({ x: sight.x + sight.w / 2, y: sight.y + sight.h / 2 }, sight);
      say(text("added_centre"));
    },
    cancel() {
      if (mode.armed) screen.arm(false);
      else store()?.select([]);
    },
    label({ arg, value }) {
      const chosen = edit.label(value ?? labels[arg - 1]?.value);
      if (chosen) notices.whisper(words.labelOf(chosen));
    },
    activity({ arg, value }) {
      const chosen = edit.activity(value ?? activities[arg - 1]?.value);
      if (chosen) notices.whisper(words.activityOf(chosen));
    },
    accept: () => edit.accept(),
    nextBox: () => cycle(1),
    previousBox: () => cycle(-1),
    selectAll: () => store().select(store().boxes.map((box) => box.key)),
    move({ name, arg }) {
      edit.nudge(name.split("+").at(-1), arg);
    },
    resize({ name, arg }) {
      edit.stretch(name.split("+").at(-1), arg);
    },
    remove() {
      edit.remove();
      const [next] = store().selected;
      if (next) canvas.reveal(next);
    },
    copyLast() {
      const n = edit.copyFrom(sitting.lastBoxes);
      say(n ? text("copied_last", { n }) : text("nothing_to_copy"));
    },
    copy: () => say(text("copied", { n: edit.copy() })),
    paste: () => say(text("pasted", { n: edit.paste() })),

    zoomIn: () => canvas.zoom(ZOOM_STEP, undefined, true),
    zoomOut: () => canvas.zoom(1 / ZOOM_STEP, undefined, true),
    fit: () => canvas.fit(),
    /** To the selected box; again, back to the whole picture; with none selected, to the first. */
    zoomBox() {
      const [box] = store().selected;
      if (box && mode.zoomed === box.key && !canvas.fitted) {
        mode.zoomed = null;
        canvas.fit();
        return;
      }
      const key = box?.key ?? edit.neighbour(1);
      if (!key) return;
      store().select([key]);
      mode.zoomed = key;
      canvas.zoomTo(store().get(key));
    },
    pan({ phase }) {
      mode.panning = phase === "down";
      screen.part("viewer").classList.toggle("grab", mode.panning);
    },
    hideBoxes({ phase }) {
      screen.hideBoxes(phase === "toggle" ? canvas.shown.boxes : phase === "down");
    },
    names: () => toggle("names"),
    crosshair: () => toggle("crosshair"),
    tone() {
      const panel = screen.part("tone");
      panel.hidden = !panel.hidden;
      screen.settings();
      (panel.hidden ? screen.part("viewer") : screen.part("brightness")).focus();
    },
    toneReset() {
      for (const name of ["brightness", "contrast"]) prefs.set(name, prefs.default(name));
      screen.settings();
    },
    help: () => help(),
  };
}

/**
 * What each command of the key table does. Keys and buttons both end here, so that neither can do more.
 *
 * A command gets {arg, name, phase, source} and returns false when it leaves the key to the browser.
 * phase is "down" or "up" for commands that are held.
 */

import { isSuggestion } from "./store.js";

const ZOOM_STEP = 1.5;

/** @param {object} given the modules of one page, see boot.js */
export function createCommands({ sitting, sync, canvas, edit, screen, sheet, crops, views, notices, prefs, text, words, labels, activities, mode, help, goTo, askSpread }) {
  const { say } = notices;
  const store = () => sitting.current?.store ?? null;
  let asked = null; // the visit that "nobody" was refused on once

  function decide(verdict) {
    const visit = sitting.current;
    if (!visit) return;
    if (["boxes", "nobody"].includes(verdict) && !screen.pictureReady(visit)) {
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
    sitting.decide(verdict, views.after(visit));
  }

  /** What "as shown" says of a frame: that its boxes are right, or that nobody is there. */
  const asShown = ({ store: { boxes } }) => (boxes.length ? "boxes" : "nobody");

  /** All frames of the page that were seen and not marked; then on to those that were left. */
  function confirmAll() {
    const { seen, unseen, marked } = sheet.open();
    if (!seen.length && unseen.length) {
      sitting.show(unseen[0]);
      say(text("sheet_unseen", { n: unseen.length }));
      return;
    }
    const then = unseen[0] ?? marked[0] ?? null;
    if (then?.marked) views.set("frame");
    if (!seen.length) {
      if (then) sitting.show(then);
      return;
    }
    const words = text("said_all", { n: seen.length });
    say(unseen.length ? `${words} ${text("sheet_unseen", { n: unseen.length })}` : words);
    sitting.decideEach(seen.map((visit) => [visit, asShown(visit)]), then);
  }

  const here = () => (views.name === "crops" ? crops : sheet);

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

  function moved(done, step) {
    if (!done) say(text(step > 0 ? "no_next" : "no_previous"));
  }

  const go = (step) => moved(sitting.go(step), step);

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
    validate: () => sitting.current && decide(asShown(sitting.current)),
    nobody: () => decide("nobody"),
    unreadable: () => decide("unreadable"),
    skip: () => decide("skip"),
    flag: () => decide("flag"),
    undo() {
      if (views.name === "crops") told(crops.undo() ? "crop" : null);
      else told(sitting.undo({ boxes: views.name === "frame" }));
    },
    redo: () => told(views.name === "crops" ? (crops.redo() ? "crop" : null) : sitting.redo()),
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

    frame: () => views.go("frame"),
    sheet: () => views.go(views.name === "sheet" ? "frame" : "sheet"),
    crops: () => views.go(views.name === "crops" ? "frame" : "crops"),
    step: ({ name }) => here().step(name),
    closer: () => here().closer(),
    keepCrop: () => crops.keep(),
    refuseCrop: () => crops.refuse(),
    labelCrop({ arg, value }) {
      const chosen = value ?? labels[arg - 1]?.value;
      if (chosen) crops.label(chosen);
    },
    activityCrop({ arg, value }) {
      const chosen = value ?? activities[arg - 1]?.value;
      if (chosen) crops.activity(chosen);
    },
    keepAll() {
      const n = crops.keepAll();
      say(n ? text("crops_kept", { n }) : text("crops_unseen"));
    },
    cropClass: ({ value }) => crops.chooseClass(value),
    nextClass: () => crops.nextClass(1),
    previousClass: () => crops.nextClass(-1),
    mark: () => sheet.mark(sitting.current),
    confirmAll,

    difference() {
      if (!sitting.current.frame.previous) say(text("no_earlier_picture"));
      else screen.difference(!screen.differing);
    },
    nextOpen: () => moved(sitting.goOpen(1), 1),
    previousOpen: () => moved(sitting.goOpen(-1), -1),
    nextTen: () => moved(sitting.goBy(10), 1),
    previousTen: () => moved(sitting.goBy(-10), -1),
    first: () => moved(sitting.goBy(-Infinity), -1),
    last: () => moved(sitting.goBy(Infinity), 1),
    goTo: () => goTo(),
    async spread() {
      const { selected } = store();
      const { alike } = sitting;
      if (!selected.length || !alike.length) {
        say(text(selected.length ? "spread_nowhere" : "spread_nothing"));
        return;
      }
      const count = await askSpread({ boxes: selected.length, frames: alike.length });
      if (!count) return;
      const n = sitting.spread(alike.slice(0, count), (visit) => edit.copyOnto(visit.store, selected));
      say(text("spread_done", { n }));
      screen.history();
    },

    draw: () => screen.arm(!mode.armed),
    addCentre() {
      const sight = canvas.inSight;
      edit.addAt({ x: sight.x + sight.w / 2, y: sight.y + sight.h / 2 }, sight);
      say(text("added_centre"));
    },
    cancel() {
      if (views.name !== "frame") here().closer(false);
      else if (mode.armed) screen.arm(false);
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
    bringBack() {
      const n = sitting.bringBack();
      say(n ? text("brought_back", { n }) : text("nothing_left_out"));
    },
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

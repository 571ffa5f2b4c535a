/**
 * Which of the three views is shown over the one sitting (frame, contact sheet, crops), and the way back from a frame
 * that was opened out of a sheet. It shows and hides; what lies in a view is drawn by that view.
 */

/** Frames kept ready: for a sheet as many as the queue lets one person hold (20), less what is asked for at once. */
const AHEAD = { frame: 3, sheet: 16, crops: 16 };

/**
 * @param {object} given
 * @param {ReturnType<typeof import("./sitting.js").createSitting>} given.sitting
 * @param {ReturnType<typeof import("./screen.js").createScreen>} given.screen
 * @param {ReturnType<typeof import("./sheet.js").createSheet>} given.sheet
 */
export function createViews({ sitting, screen, sheet }) {
  let name = "frame";
  let back = null; // the sheet that the frame was opened from

  /** Change the view; what is shown in it comes with the next "show" of the sitting. */
  function set(next) {
    back = next === "frame" && name !== "frame" ? name : null;
    name = next;
    screen.view(next);
    sitting.keepReady(AHEAD[next]);
  }

  return {
    get name() {
      return name;
    },
    set,
    go(next) {
      if (next === name) return;
      set(next);
      if (sitting.current) sitting.show(sitting.current);
    },

    /** Before a decision on `visit`: where to go after it; null for the next frame of the queue. */
    after(visit) {
      if (name === "sheet") {
        const next = sheet.next(visit);
        if (next?.marked) set("frame");
        return next;
      }
      if (back === null) return null;
      const next = back === "sheet" ? sheet.next(visit) : null;
      if (!next?.marked) set(back);
      return next;
    },
  };
}

/**
 * Active seconds on a frame: a pause longer than `idle` counts as away, and so does a hidden page.
 * The caller says when something happened; nothing here listens or ticks.
 */

/** @param {() => number} now milliseconds @param {number} idle milliseconds */
export function createStopwatch(now = () => performance.now(), idle = 20_000) {
  let total = 0;
  let last = null;
  return {
    /** Something happened: the time since the last sign of life counts, up to `idle`. */
    touch() {
      const at = now();
      if (last !== null) total += Math.min(at - last, idle);
      last = at;
    },
    pause() {
      if (last !== null) this.touch();
      last = null;
    },
    get seconds() {
      return Math.round((total + (last === null ? 0 : Math.min(now() - last, idle))) / 100) / 10;
    },
  };
}

/** How long the rest will take, from what went through of late. No clock of its own, no DOM. */

const WINDOW_MS = 90_000;
const LEAST_MS = 4_000;

export function createPace() {
  let marks = [];
  return {
    /** Forget what was; after a wait the line may be another. */
    reset() {
      marks = [];
    },
    /** @param {number} at ms  @param {number} bytes done by then, in all */
    mark(at, bytes) {
      marks.push({ at, bytes });
      while (marks.length > 2 && at - marks[0].at > WINDOW_MS) marks.shift();
    },
    /** @returns {number | null} seconds for `bytes` more, or null while that is not known */
    seconds(bytes) {
      const first = marks[0];
      const last = marks.at(-1);
      if (!first || last.at - first.at < LEAST_MS || last.bytes <= first.bytes) return null;
      return (bytes * (last.at - first.at)) / 1000 / (last.bytes - first.bytes);
    },
  };
}

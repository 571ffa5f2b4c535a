/** A queue of at most `limit` things between one who makes them and several who use them up. */

export function createChannel(limit) {
  const things = [];
  let waiting = [];
  let closed = false;
  const changed = () => {
    const all = waiting;
    waiting = [];
    for (const go of all) go();
  };
  const change = () => new Promise((go) => waiting.push(go));
  return {
    /** Waits until there is room. */
    async put(thing) {
      while (things.length >= limit) await change();
      things.push(thing);
      changed();
    },
    /** Waits until there is something. @returns what was put in first; undefined when all is used up */
    async take() {
      while (!things.length && !closed) await change();
      const thing = things.shift();
      changed();
      return thing;
    },
    close() {
      closed = true;
      changed();
    },
  };
}

/**
 * What has not reached the server yet, kept so that a reload or a dead battery finds it.
 *
 * One entry per frame: what sync.js or sitting.js put, by its id. Kept per person, since two may share a browser.
 * In localStorage, not IndexedDB: docs/decisions/0015. It sends nothing.
 */

/** @param {Storage} storage @param {string} owner who is signed in */
export function createOutbox(storage, owner) {
  const prefix = `lacs.review.${owner}.`;
  return {
    all() {
      const entries = [];
      const names = Array.from({ length: storage.length }, (_, index) => storage.key(index));
      for (const name of names.filter((each) => each.startsWith(prefix))) {
        try {
          entries.push(JSON.parse(storage.getItem(name)));
        } catch {
          storage.removeItem(name); // half a line cannot be sent, and would stop the rest
        }
      }
      return entries;
    },
    put(entry) {
      storage.setItem(prefix + entry.id, JSON.stringify(entry));
    },
    remove(id) {
      storage.removeItem(prefix + id);
    },
  };
}

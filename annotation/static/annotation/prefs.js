/** What a person set for good on this browser; survives frames, sittings and a forbidden storage. */

const DEFAULTS = { characters: true, rounds: true, names: true, crosshair: false, brightness: 100, contrast: 100 };

/** @param {Storage|null} storage @param {string} owner */
export function createPrefs(storage, owner) {
  const name = `lacs.prefs.${owner}`;
  let values = { ...DEFAULTS };
  try {
    values = { ...values, ...JSON.parse(storage.getItem(name) ?? "{}") };
  } catch {
    // unreadable settings are the default ones
  }
  return {
    get: (key) => values[key],
    set(key, value) {
      values[key] = value;
      try {
        storage.setItem(name, JSON.stringify(values));
      } catch {
        // kept for this page at least
      }
    },
    default: (key) => DEFAULTS[key],
  };
}

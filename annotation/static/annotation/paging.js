/** Which of many things lie on a sheet together, where an arrow key goes among them, and their order in time. Pure. */

/**
 * The things on one page: those that were there stay in place, decided or not, and gaps at the end are filled.
 *
 * @template T
 * @param {T[]} page what lay there  @param {T[]} all everything there is, in its order
 * @param {T|null} shown the one at the cursor: a page without it is left for one that begins with it
 * @param {number} size  @param {(each: T) => boolean} open is to be decided on
 * @returns {T[]}
 */
export function pageOf(page, all, shown, size, open) {
  let kept = page.filter((each) => all.includes(each)).slice(0, size);
  if (shown && !kept.includes(shown)) kept = [];
  if (!shown && !kept.some(open)) kept = [];
  const from = shown && !kept.length ? all.slice(all.indexOf(shown)) : all;
  const more = from.filter((each) => (open(each) || each === shown) && !kept.includes(each));
  return [...kept, ...more].slice(0, size);
}

/** Place after an arrow key in a grid of `count` things in `columns`; the same one at an edge. */
export function stepIn(count, at, arrow, columns) {
  const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns }[arrow];
  const next = at + step;
  return next >= 0 && next < count ? next : at;
}

/** The next one to decide on: after `from`, else the first; null where none is left. */
export function nextOpen(page, from, open) {
  const at = page.indexOf(from);
  return page.slice(at + 1).find(open) ?? page.slice(0, Math.max(at, 0)).find(open) ?? null;
}

/** Frames in the order of their time, those whose time holds the digits that were typed ("8:3", "0835"). */
export function byTime(visits, typed) {
  const digits = typed.replace(/\D/g, "");
  return visits
    .filter(({ frame }) => frame.time_label.replace(/\D/g, "").includes(digits))
    .sort((a, b) => (a.frame.captured_at < b.frame.captured_at ? -1 : 1));
}

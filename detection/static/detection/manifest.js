/** What is on a card: names, sizes, and which lists are of one card. No DOM. */

// They alone are left out, and are named: whatever else is hidden may be somebody's picture. The server leaves out
// the same (cards/manifest.py).
const LEFT_BY_COMPUTERS = new Set([
  ".apdisk", ".documentrevisions-v100", ".ds_store", ".fseventsd", ".localized",
  ".spotlight-v100", ".temporaryitems", ".trash", ".trashes", ".volumeicon.icns",
  "$recycle.bin", "desktop.ini", "ehthumbs.db", "recycler", "system volume information",
  "thumbs.db",
]);

/** Whether a file or folder of this name has nothing to do with the camera. */
export function isLeftByComputer(name) {
  const low = name.toLowerCase();
  return LEFT_BY_COMPUTERS.has(low) || low.startsWith(".trash-") || low.startsWith("._");
}

/** The uppermost thing on the way to a file that a computer left, or null. */
function leftBy(path) {
  const parts = path.split("/");
  const at = parts.findIndex(isLeftByComputer);
  return at < 0 ? null : parts.slice(0, at + 1).join("/");
}

/**
 * @param {{path: string, file: File | null}[]} chosen  paths as the browser gives them, the folder's name first
 * @returns {{source: string, files: {path: string, file: File}[], leftOut: string[]}}
 *   paths below the one folder that was chosen, as `import_batch` names them too, in their order
 */
export function takeStock(chosen) {
  const tops = new Set(chosen.map(({ path }) => (path.includes("/") ? path.slice(0, path.indexOf("/")) : null)));
  const [top] = tops;
  const one = tops.size === 1 && top !== null;
  const named = chosen.map(({ path, file }) => ({ path: one ? path.slice(top.length + 1) : path, file }));
  const leftOut = new Set(named.map(({ path }) => leftBy(path)).filter((path) => path !== null));
  const files = named.filter(({ path }) => leftBy(path) === null);
  files.sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
  return { source: one ? top : "", files, leftOut: [...leftOut].sort() };
}

/** The files whose bytes go into the fingerprint: the first, the middle and the last. */
export function samples(files) {
  return [...new Set([files[0], files[Math.floor(files.length / 2)], files.at(-1)])];
}

/**
 * The same for the same card in any computer: over all paths and sizes and some files' bytes.
 * Cameras give every card the same names; thousands of sizes, and three pictures, differ.
 *
 * @param {{path: string, file: {size: number}}[]} files in the order of takeStock
 * @param {Map<object, string>} hashes of `samples`, as far as these can be read
 * @param {(text: string) => Promise<string>} hashText
 */
export function fingerprint(files, hashes, hashText) {
  return hashText(files.map((one) => `${one.path}\t${one.file.size}\t${hashes.get(one) ?? ""}\n`).join(""));
}

/** The first picture, whose EXIF names the camera. */
export const firstPicture = (files) => files.find(({ path }) => /\.jpe?g$/i.test(path))?.file;

/**
 * Files of a folder that was chosen or dropped: [{path, file}], the folder's name first in each path; without a
 * file what nobody needs to open.
 */

import { isLeftByComputer } from "./manifest.js";

export const canChooseFolders = () => "webkitdirectory" in document.createElement("input");

export const ofInput = (input) =>
  [...input.files].map((file) => ({ path: file.webkitRelativePath || file.name, file }));

/** A part of the folder could not be seen: it must not be taken for the whole. */
export class Unlisted extends Error {
  constructor(path) {
    super(path);
    this.path = path;
  }
}

/** @param {DataTransfer} dropped  must be read at once, before the first wait. Throws Unlisted. */
export async function ofDrop(dropped) {
  const entries = [...dropped.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  const found = [];
  for (const entry of entries) await walk(entry, "", found);
  return found;
}

/** What a browser gives to the first of two callbacks. Throws Unlisted where it calls the second. */
function given(path, ask) {
  return new Promise((resolve, reject) => ask(resolve, () => reject(new Unlisted(path))));
}

async function walk(entry, above, found) {
  const path = above ? `${above}/${entry.name}` : entry.name;
  // What a computer left is not even opened: its own bin may be closed to us.
  if (above && isLeftByComputer(entry.name)) {
    found.push({ path, file: null });
    return;
  }
  if (entry.isFile) {
    found.push({ path, file: await given(path, (...both) => entry.file(...both)) });
    return;
  }
  const reader = entry.createReader();
  // Browsers give a hundred at a time, and an empty list at the end.
  for (;;) {
    const some = await given(path, (...both) => reader.readEntries(...both));
    if (!some.length) return;
    for (const one of some) await walk(one, path, found);
  }
}

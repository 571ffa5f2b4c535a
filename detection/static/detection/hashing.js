/** The page's side of the hashing worker. */

import { createSha256 } from "./sha256.js";
import { Unread } from "./upload.js";

/** @param {string} url of hash_worker.js */
export function createHashing(url) {
  const worker = new Worker(url, { type: "module" });
  const asked = new Map();
  let last = 0;
  worker.onmessage = ({ data: { id, sha256 } }) => {
    const { resolve, reject } = asked.get(id);
    asked.delete(id);
    if (sha256) resolve(sha256);
    else reject(new Unread());
  };
  return {
    hash: (file) =>
      new Promise((resolve, reject) => {
        last += 1;
        asked.set(last, { resolve, reject });
        worker.postMessage({ id: last, file });
      }),
    async hashText(text) {
      const sha256 = createSha256();
      sha256.update(new TextEncoder().encode(text));
      return sha256.hex();
    },
    async readable(file) {
      try {
        await file.slice(0, 1).arrayBuffer();
        return true;
      } catch {
        return false;
      }
    },
  };
}

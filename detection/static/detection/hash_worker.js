/** Hashes files beside the page, so that it stays smooth. In: {id, file}. Out: {id, sha256} or {id, unread: true}. */

import { createSha256 } from "./sha256.js";

const WHOLE = 64 * 1024 * 1024; // bytes; larger files are read piece by piece

async function sha256(file) {
  if (globalThis.crypto?.subtle && file.size <= WHOLE) {
    const digest = await crypto.subtle.digest("SHA-256", await file.arrayBuffer());
    return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  }
  const hash = createSha256();
  const reader = file.stream().getReader();
  for (let part = await reader.read(); !part.done; part = await reader.read()) hash.update(part.value);
  return hash.hex();
}

addEventListener("message", async ({ data: { id, file } }) => {
  try {
    postMessage({ id, sha256: await sha256(file) });
  } catch {
    postMessage({ id, unread: true });
  }
});

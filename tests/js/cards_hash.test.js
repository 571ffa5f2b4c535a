import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import test from "node:test";

import { createSha256 } from "../../detection/static/detection/sha256.js";

const bytes = (text) => new TextEncoder().encode(text);
const ours = (...parts) => {
  const sha256 = createSha256();
  for (const part of parts) sha256.update(part);
  return sha256.hex();
};
const theirs = (data) => createHash("sha256").update(data).digest("hex");

test("the vectors of FIPS 180-4", () => {
  assert.equal(ours(), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  assert.equal(ours(bytes("abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  assert.equal(
    ours(bytes("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")),
    "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
  );
  assert.equal(
    ours(new Uint8Array(1_000_000).fill(97)),
    "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0",
  );
});

test("every length around a block, in one piece and in odd pieces", () => {
  const data = Uint8Array.from({ length: 300 }, (_, i) => (i * 37) % 256);
  for (let length = 0; length <= 200; length += 1) {
    const part = data.subarray(0, length);
    assert.equal(ours(part), theirs(part), `${length} bytes`);
    assert.equal(ours(part.subarray(0, 7), part.subarray(7, 71), part.subarray(71)), theirs(part));
  }
});

test("more than 512 MB of bits are counted", () => {
  const megabyte = new Uint8Array(1 << 20).fill(5);
  const sha256 = createSha256();
  const hash = createHash("sha256");
  for (let i = 0; i < 520; i += 1) {
    sha256.update(megabyte);
    hash.update(megabyte);
  }
  assert.equal(sha256.hex(), hash.digest("hex"));
});

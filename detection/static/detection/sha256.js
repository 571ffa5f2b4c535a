/**
 * SHA-256 over bytes as they come, for pages without crypto.subtle (plain http in a park's own
 * network) and for files too large to hold. FIPS 180-4; tested against its vectors.
 */

const K = new Uint32Array(64);
const START = new Uint32Array(8);
{
  // The first 32 bits of the fractional parts of the cube and square roots of the first primes.
  const fraction = (x) => Math.floor((x - Math.floor(x)) * 0x100000000);
  let found = 0;
  for (let n = 2; found < 64; n += 1) {
    let prime = true;
    for (let d = 2; d * d <= n && prime; d += 1) prime = n % d !== 0;
    if (!prime) continue;
    if (found < 8) START[found] = fraction(Math.sqrt(n));
    K[found] = fraction(Math.cbrt(n));
    found += 1;
  }
}

export function createSha256() {
  const state = new Uint32Array(START);
  const words = new Uint32Array(64);
  const rest = new Uint8Array(64);
  let held = 0;
  let length = 0;

  function block(bytes, at) {
    for (let i = 0; i < 16; i += 1, at += 4)
      words[i] = (bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3];
    for (let i = 16; i < 64; i += 1) {
      const x = words[i - 15];
      const y = words[i - 2];
      const s0 = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
      const s1 = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10);
      words[i] = (words[i - 16] + s0 + words[i - 7] + s1) | 0;
    }
    let [a, b, c, d, e, f, g, h] = state;
    for (let i = 0; i < 64; i += 1) {
      const s1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
      const t1 = (h + s1 + ((e & f) ^ (~e & g)) + K[i] + words[i]) | 0;
      const s0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
      const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
      h = g;
      g = f;
      f = e;
      e = (d + t1) | 0;
      d = c;
      c = b;
      b = a;
      a = (t1 + t2) | 0;
    }
    state[0] += a;
    state[1] += b;
    state[2] += c;
    state[3] += d;
    state[4] += e;
    state[5] += f;
    state[6] += g;
    state[7] += h;
  }

  return {
    /** @param {Uint8Array} bytes */
    update(bytes) {
      length += bytes.length;
      let at = 0;
      if (held) {
        at = Math.min(64 - held, bytes.length);
        rest.set(bytes.subarray(0, at), held);
        held += at;
        if (held < 64) return;
        block(rest, 0);
        held = 0;
      }
      for (; at + 64 <= bytes.length; at += 64) block(bytes, at);
      held = bytes.length - at;
      rest.set(bytes.subarray(at));
    },

    /** Ends it. @returns {string} 64 hexadecimal digits */
    hex() {
      const bits = new DataView(new ArrayBuffer(8));
      bits.setUint32(0, Math.floor(length / 0x20000000));
      bits.setUint32(4, (length << 3) >>> 0);
      const padding = new Uint8Array(((119 - held) % 64) + 1);
      padding[0] = 0x80;
      this.update(padding);
      this.update(new Uint8Array(bits.buffer));
      return [...state].map((word) => word.toString(16).padStart(8, "0")).join("");
    },
  };
}

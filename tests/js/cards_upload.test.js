import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import test from "node:test";

import { createUpload, Unread } from "../../detection/static/detection/upload.js";

const sha = (text) => createHash("sha256").update(text).digest("hex");
const ok = (body) => ({ status: 200, body });

/** A server that keeps what it gets; `odd(kind, n)` may answer the n-th request of a kind otherwise. */
function server(odd = () => null) {
  const rows = new Map();
  const asked = { open: 0, manifest: 0, recognise: 0, put: 0, close: 0, receipt: 0 };
  const kept = { closed: null, flying: 0, most: 0, rows, asked, known: new Set(), stored: new Set() };
  const answer = async (kind, request) => {
    const n = (asked[kind] += 1);
    await new Promise(setImmediate);
    const other = odd(kind, n, kept);
    if (other === "cut") throw new Error("no answer");
    return other ?? request();
  };
  const api = {
    open: () => answer("open", () => ok({ batch: 7, stored: kept.stored.size })),
    manifest: (_, { files }) =>
      answer("manifest", () =>
        ok({
          ids: files.map(({ path }) => {
            if (!rows.has(path)) rows.set(path, { id: rows.size + 1, path });
            const { id } = rows.get(path);
            return kept.stored.has(id) ? null : id;
          }),
        }),
      ),
    recognise: (_, { files }) =>
      answer("recognise", () => {
        const here = files.filter(({ sha256 }) => kept.known.has(sha256)).map(({ id }) => id);
        for (const id of here) kept.stored.add(id);
        return ok({ stored: here });
      }),
    put: async (_, id, sha256, file, progress) => {
      kept.flying += 1;
      kept.most = Math.max(kept.most, kept.flying);
      progress(1);
      try {
        return await answer("put", () => {
          if (sha(file.text) !== sha256) return { status: 422, body: { detail: "changed" } };
          const fresh = !kept.stored.has(id);
          kept.stored.add(id);
          return { status: fresh ? 201 : 200, body: {} };
        });
      } finally {
        kept.flying -= 1;
      }
    },
    close: (_, body) =>
      answer("close", () => {
        kept.closed = body;
        return ok({});
      }),
    receipt: () => answer("receipt", () => ok(null)),
  };
  return { api, kept };
}

function card(n, changed = {}) {
  return Array.from({ length: n }, (_, i) => {
    const text = `picture ${i}`;
    return { path: String(i).padStart(5, "0"), file: { size: text.length, text, ...changed[i] } };
  });
}

function begin(files, api, more = {}) {
  const waits = [];
  const whys = new Set();
  const upload = createUpload({
    files,
    source: "DCIM",
    leftOut: [],
    deployment: "shore",
    largest: 1000,
    api,
    hash: async (file) => {
      if (file.broken) throw new Unread();
      return sha(file.text);
    },
    hashText: async (text) => sha(text),
    readable: async (file) => !file.broken,
    sleep: async (ms) => {
      waits.push(ms);
      await new Promise(setImmediate);
    },
    onChange: ({ why }) => whys.add(why),
    ...more,
  });
  return { upload, waits, whys, state: upload.state };
}

test("a card arrives whole, in three lanes, in pages, and is closed once", async () => {
  const { api, kept } = server();
  const { upload, state } = begin(card(1201), api);
  await upload.start();
  assert.equal(state.phase, "done");
  assert.equal(kept.stored.size, 1201);
  assert.equal(kept.most, 3);
  assert.deepEqual(kept.asked, { open: 1, manifest: 3, recognise: kept.asked.recognise, put: 1201, close: 1, receipt: 1 });
  assert(kept.asked.recognise < 1201 / 10);
  assert.deepEqual(state.files, { all: 1201, done: 1201 });
  assert.equal(state.bytes.done, state.bytes.all);
  assert.equal(state.onTheWay, 0);
  assert.deepEqual(kept.closed, { problems: [] });
});

test("what was left out is told, not more names of it than the server takes", async () => {
  const { api } = server();
  const opened = [];
  const open = (body) => (opened.push(body), api.open(body));
  const leftOut = Array.from({ length: 1000 }, (_, i) => `._${i}.JPG`);
  await begin(card(1), { ...api, open }, { leftOut }).upload.start();
  assert.equal(opened[0].left_out_count, 1000);
  assert.deepEqual(opened[0].left_out, leftOut.slice(0, 200));
});

test("only what is missing is sent, and what the server knows is not", async () => {
  const { api, kept } = server();
  const files = card(50);
  files.forEach(({ path }, i) => kept.rows.set(path, { id: i + 1, path }));
  for (let id = 1; id <= 20; id += 1) kept.stored.add(id);
  for (let i = 20; i < 30; i += 1) kept.known.add(sha(`picture ${i}`));
  const { upload, state } = begin(files, api);
  await upload.start();
  assert.equal(kept.asked.put, 20);
  assert.equal(state.resumed, 20);
  assert.equal(state.known, 10);
  assert.equal(state.files.done, 50);
  assert.equal(state.phase, "done");
});

for (const [what, why] of [
  ["cut", "line"],
  [{ status: 503, body: null }, "busy"],
  [{ status: 500, body: null }, "busy"],
  [{ status: 429, body: {}, retryAfter: 9 }, "busy"],
  [{ status: 401, body: {} }, "signed_out"],
  [{ status: 507, body: {} }, "full"],
  [{ status: 403, body: {} }, "busy"],
]) {
  test(`waits through ${why} (${what.status ?? what}) and loses nothing`, async () => {
    const { api, kept } = server((kind, n) => (n % 3 === 1 ? what : null));
    const { upload, state, whys, waits } = begin(card(40), api);
    await upload.start();
    assert.equal(state.phase, "done");
    assert.equal(kept.stored.size, 40);
    assert.deepEqual(state.failures, []);
    assert(whys.has(why));
    assert.equal(state.why, null);
    assert(waits.every((ms) => ms > 0 && ms <= 37_500));
    if (what.retryAfter) assert(waits.every((ms) => ms >= 0.75 * 9000));
  });
}

test("it waits longer each time, and at most half a minute or so", async () => {
  const { api } = server((kind, n) => (kind === "open" && n < 12 ? "cut" : null));
  const { upload, waits } = begin(card(1), api);
  await upload.start();
  assert(waits[0] <= 1250);
  assert(waits[5] > waits[0] * 5);
  assert(Math.max(...waits) <= 37_500);
});

test("a refused file is named, the others arrive, and the person decides", async () => {
  const refused = { status: 409, body: { detail: "Another file of this name came before." } };
  const { api, kept } = server((kind, n, { asked }) => (kind === "put" && n === 2 && asked.close === 0 ? refused : null));
  const { upload, state } = begin(card(10), api);
  await upload.start();
  assert.equal(state.phase, "attention");
  assert.equal(kept.stored.size, 9);
  assert.equal(kept.closed, null);
  assert.deepEqual(state.failures.map(({ words }) => words), ["Another file of this name came before."]);
  await upload.again();
  assert.equal(state.phase, "done");
  assert.equal(kept.stored.size, 10);
  assert.deepEqual(kept.closed, { problems: [] });
});

test("a file that changed on its way is hashed and sent again, but not for ever", async () => {
  const flaky = server((kind, n) => (kind === "put" && n === 1 ? { status: 422, body: {} } : null));
  const first = begin(card(3), flaky.api);
  await first.upload.start();
  assert.equal(first.state.phase, "done");
  const broken = server((kind) => (kind === "put" ? { status: 422, body: {} } : null));
  const second = begin(card(1), broken.api);
  await second.upload.start();
  assert.equal(second.state.phase, "attention");
  assert.deepEqual(second.state.failures.map(({ key }) => key), ["changed"]);
  assert.equal(broken.kept.asked.put, 3);
});

test("a file that grew since its list was made is named at once, with what to do", async () => {
  const resized = { status: 422, body: { detail: "Choose the folder again.", why: "resized" } };
  const { api, kept } = server((kind, n) => (kind === "put" && n === 1 ? resized : null));
  const { upload, state } = begin(card(3), api);
  await upload.start();
  assert.deepEqual([state.phase, kept.stored.size, kept.asked.put], ["attention", 2, 3]);
  assert.deepEqual(state.failures.map(({ key }) => key), ["resized"]);
  await upload.finish();
  assert.match(kept.closed.problems[0].reason, /hand the folder over again/);
});

test("a file over which the server stumbles each time does not hold up the others", async () => {
  const { api, kept } = server();
  const put = api.put;
  const stumbling = { ...api, put: (...all) => (all[1] === 2 ? Promise.resolve({ status: 500, body: null }) : put(...all)) };
  const { upload, state } = begin(card(9), stumbling);
  await upload.start();
  assert.equal(state.phase, "attention");
  assert.equal(kept.stored.size, 8);
});

test("a line that is cut again and again says nothing against a file", async () => {
  const { api, kept } = server((kind, n) => (kind !== "put" || n > 20 ? null : n === 20 ? { status: 503, body: null } : "cut"));
  const { upload, state } = begin(card(1), api);
  await upload.start();
  assert.equal(state.phase, "done");
  assert.equal(kept.asked.put, 21);
});

test("an answer to one lane wakes the others that wait for the line", async () => {
  const { api, kept } = server((kind, n) => (kind === "put" && n === 1 ? "cut" : null));
  const woken = [];
  const sleep = (ms, signal) =>
    new Promise((resolve) => signal.addEventListener("abort", () => resolve(woken.push(ms))));
  const { upload, state } = begin(card(9), api, { sleep });
  await upload.start();
  assert.equal(state.phase, "done");
  assert.equal(woken.length, 1);
  assert.equal(kept.stored.size, 9);
});

test("waits for a busy server are counted apart from cuts of the line", async () => {
  const odd = (kind, n) => (kind !== "put" || n > 6 ? null : n === 6 ? { status: 503, body: null } : "cut");
  const { api } = server(odd);
  const { upload, waits } = begin(card(1), api);
  await upload.start();
  assert(waits[4] > 10_000);
  assert(waits[5] <= 1250);
});

test("files that cannot be read, or are too large, are named and the rest arrives", async () => {
  const { api, kept } = server();
  const odd = { 3: { broken: true }, 4: { broken: true }, 5: { broken: true }, 6: { broken: true }, 7: { size: 5000 } };
  const { upload, state } = begin(card(12, odd), api);
  await upload.start();
  assert.equal(state.phase, "attention");
  assert.equal(kept.stored.size, 7);
  assert.deepEqual(state.failures.map(({ key }) => key).sort(), ["not_read", "not_read", "not_read", "not_read", "too_large"]);
  await upload.finish();
  assert.equal(state.phase, "done");
  assert.equal(kept.closed.problems.length, 5);
  assert(kept.closed.problems.every(({ id, reason }) => id > 0 && reason));
});

test("a card that is pulled out is waited for", async () => {
  const { api, kept } = server();
  const files = card(30);
  let sleeps = 0;
  const { upload, state, whys } = begin(files, api, {
    onChange({ files: { done }, why }) {
      whys.add(why);
      if (done === 5) for (const { file } of files) file.broken ??= true;
    },
    sleep: async () => {
      sleeps += 1;
      if (sleeps === 3) for (const { file } of files) file.broken = false;
      await new Promise(setImmediate);
    },
  });
  await upload.start();
  assert(whys.has("card"));
  assert.equal(state.phase, "done");
  assert.equal(kept.stored.size, 30);
});

/** What the server is told of a card whose files are broken or not. */
async function opening(odd, more = {}) {
  const { api } = server();
  const opened = [];
  const begun = begin(card(12, odd), { ...api, open: (body) => (opened.push(body), api.open(body)) }, more);
  await begun.upload.start();
  return { ...begun, prints: opened.map(({ fingerprint }) => fingerprint) };
}

test("of a card whose samples are damaged another file says which card it is", async () => {
  const damaged = { 0: { broken: true }, 6: { broken: true }, 11: { broken: true } };
  const one = await opening(damaged);
  const other = await opening({ ...damaged, 1: { text: "picture X" } });
  assert.equal(one.state.phase, "attention");
  assert.equal(new Set([...one.prints, ...other.prints]).size, 2);
});

test("a card of which nothing can be read is not opened before it is back", async () => {
  const gone = Object.fromEntries(Array.from({ length: 12 }, (_, i) => [i, { broken: true }]));
  let sleeps = 0;
  const late = await opening(gone, {
    hash: async (file) => {
      if (sleeps < 3) throw new Unread();
      return sha(file.text);
    },
    readable: async () => sleeps >= 3,
    sleep: async () => {
      sleeps += 1;
      await new Promise(setImmediate);
    },
  });
  assert(late.whys.has("card"));
  assert.equal(late.state.phase, "done");
  assert.deepEqual(late.prints, (await opening({})).prints);
});

test("it leaves for the receipt only once that can be had, and says what it waits for", async () => {
  const { api, kept } = server((kind, n) => (kind === "receipt" && n < 4 ? ["cut", { status: 503, body: null }, { status: 401, body: null }][n - 1] : null));
  const seen = [];
  const { upload, state } = begin(card(2), api, {
    onChange: ({ phase, closed, why }) => seen.push({ phase, closed, why }),
  });
  await upload.start();
  assert.equal(state.phase, "done");
  assert.deepEqual([kept.asked.close, kept.asked.receipt], [1, 4]);
  const waited = seen.filter(({ closed, why }) => closed && why);
  assert.deepEqual(waited.map(({ why }) => why), ["line", "busy", "signed_out"]);
  assert(waited.every(({ phase }) => phase === "closing")); // and the link to the receipt stands there
  assert(seen.every(({ phase, closed }) => closed || phase !== "done"));
});

test("a park over its quota hears the server's words", async () => {
  const full = { status: 409, body: { detail: "Your park has room for 1 GB." } };
  const { api, kept } = server((kind) => (kind === "manifest" ? full : null));
  const { upload, state } = begin(card(3), api);
  await upload.start();
  assert.deepEqual([state.phase, state.reason, kept.asked.manifest], ["stopped", "Your park has room for 1 GB.", 1]);
});

test("pausing stops asking, going on goes on", async () => {
  const { api, kept } = server();
  const { upload, state } = begin(card(100), api);
  const done = upload.start();
  while (kept.asked.put < 10) await new Promise(setImmediate);
  upload.pause();
  await new Promise((resolve) => setTimeout(resolve, 20));
  const halted = kept.asked.put;
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.equal(kept.asked.put, halted);
  assert(halted < 100);
  upload.goOn();
  await done;
  assert.equal(state.phase, "done");
});

test("a refusal for good says why", async () => {
  const { api } = server((kind) => (kind === "open" ? { status: 413, body: { detail: "Too many." } } : null));
  const { upload, state } = begin(card(3), api);
  await upload.start();
  assert.deepEqual([state.phase, state.reason], ["stopped", "Too many."]);
  const form = server((kind) => (kind === "open" ? { status: 400, body: { deployment: ["No such."] } } : null));
  const other = begin(card(3), form.api);
  await other.upload.start();
  assert.equal(other.state.reason, "No such.");
});

test("somebody who may no longer hand over is told after a few tries", async () => {
  const { api, kept } = server((kind) => (kind === "put" ? { status: 403, body: { detail: "Not allowed." } } : null));
  const { upload, state } = begin(card(3), api);
  await upload.start();
  assert.equal(state.phase, "stopped");
  assert(kept.asked.put <= 9);
});

test("a fault of the script is said on the page, not only in the console", async () => {
  const { api } = server((kind) => (kind === "recognise" ? { status: 200, body: null } : null));
  const { upload, state } = begin(card(3), api);
  await assert.rejects(upload.start(), TypeError);
  assert.equal(state.phase, "stopped");
  assert(state.reason);
});

/**
 * The way of a card to the server: manifest, what is missing, each file once, receipt.
 *
 *   preparing ─▶ sending ─▶ closing ─▶ done
 *                   └─▶ attention (some files failed: again(), or finish() without them) ─▶ closing
 *   stopped: the server has refused for good. Paused and waiting lie across these.
 *
 * Every request may be repeated, so a cut line costs a repetition and nothing else. What it waits for is in
 * `why`: line, busy, full, signed_out, card. No DOM, no network and no clock of its own: all are given.
 */

import { createChannel } from "./channel.js";
import { fingerprint, samples } from "./manifest.js";

const LANES = 3;
const PAGE = 500; // lines of the manifest in one request
const AHEAD = 24; // files hashed and asked about before their turn
const FIRST_GROUP = 3;
const GROUP = 12; // files asked about in one request
const LONGEST_MS = 30_000;
const TRIES_OF_ONE = 6; // of a file that the server stumbles over while others pass
const UNREAD_IN_A_ROW = 3;
const LEFT_OUT_NAMED = 200; // as many as the server takes (cards/manifest.py)

/** A file of the card could not be read. */
export class Unread extends Error {}
class Stopped extends Error {}

/** What to wait for after an answer of that status, or null when it is an answer; 0 is no answer at all. */
function obstacle(status) {
  if (status === 0) return "line";
  if (status === 401) return "signed_out";
  if (status === 507) return "full";
  return status >= 500 || status === 429 || status === 408 ? "busy" : null;
}

/**
 * @param {object} given
 * @param {{path: string, file: {size: number}}[]} given.files in the order of takeStock
 * @param {string[]} given.leftOut  what is not taken, for the receipt
 * @param {string} given.source  @param {string} given.deployment
 * @param {number} given.largest  bytes that the server takes at most
 * @param {object} given.api  open, manifest, recognise, put, close, receipt: each gives {status, body, retryAfter}, or
 *   throws when there was no answer (transport.js)
 * @param {(file: object) => Promise<string>} given.hash  throws Unread
 * @param {(text: string) => Promise<string>} given.hashText
 * @param {(file: object) => Promise<boolean>} given.readable
 * @param {(ms: number, signal: AbortSignal) => Promise<void>} given.sleep  resolves early when aborted
 * @param {(state: object) => void} given.onChange  called often; the same object every time
 */
export function createUpload(given) {
  const { files, api, hash, onChange } = given;
  const state = {
    phase: "preparing",
    paused: false,
    why: null, // what it waits for
    reason: "", // the server's words, when stopped
    batch: null,
    closed: false, // nothing is left to send: there is a receipt
    resumed: 0, // files that were safe before it began
    known: 0, // files whose bytes the server had already
    files: { all: files.length, done: 0 },
    bytes: { all: files.reduce((sum, { file }) => sum + file.size, 0), done: 0 },
    onTheWay: 0, // bytes of files that have not arrived whole
    failures: [], // [{one, key: a text's name, or words: the server's}]
  };
  let waitingToGoOn = [];
  const change = () => onChange(state);
  const troubles = new Map(); // lane → what it waits for
  const sleepers = new Set(); // {why, alarm}

  function trouble(lane, why) {
    if (why) troubles.set(lane, why);
    else if (!troubles.delete(lane)) return;
    state.why = [...troubles.values()].at(-1) ?? null;
    change();
  }

  async function sleep(why, ms) {
    const sleeper = { why, alarm: new AbortController() };
    sleepers.add(sleeper);
    await given.sleep(ms, sleeper.alarm.signal);
    sleepers.delete(sleeper);
  }

  /** Those that wait for `why`, or all. */
  function wake(why) {
    for (const sleeper of sleepers) if (!why || sleeper.why === why) sleeper.alarm.abort();
  }

  async function goingOn() {
    while (state.paused) await new Promise((go) => waitingToGoOn.push(go));
  }

  /** Repeats `request` until it is answered; returns the answer, which may be a refusal. */
  async function ask(lane, request, { tries = Infinity } = {}) {
    let refused = 0;
    let busy = 0; // a line that was cut says nothing against the file
    for (let attempt = 0; ; attempt += 1) {
      await goingOn();
      const answer = await request().catch((error) => {
        if (error instanceof Unread) throw error;
        return { status: 0 };
      });
      let why = obstacle(answer.status);
      // Signing in again in another tab changes the token: the next request carries the new one.
      if (answer.status === 403 && (refused += 1) < 3) why = "busy";
      if (answer.status === 403 && refused >= 3) throw new Stopped(answer.body?.detail ?? "");
      if (why === "busy") busy += 1;
      if (answer.status !== 0) wake("line"); // an answer to one lane says that the line is back
      if (!why || busy >= tries) {
        trouble(lane, null);
        return answer;
      }
      trouble(lane, why);
      const before = why === "busy" ? busy - 1 : attempt;
      const pause = answer.retryAfter ? answer.retryAfter * 1000 : 1000 * 2 ** Math.min(before, 5);
      await sleep(why, Math.min(pause, LONGEST_MS) * (0.75 + Math.random() / 2));
    }
  }

  /** An answer that must not be a refusal. */
  async function must(lane, request) {
    const answer = await ask(lane, request);
    if (answer.status >= 400) throw new Stopped(words(answer.body));
    return answer.body;
  }

  function arrived(one) {
    state.files.done += 1;
    state.bytes.done += one.file.size;
  }

  function fail(one, failure) {
    state.failures.push({ one, ...failure });
    change();
  }

  // --- preparing -----------------------------------------------------------------------------------------------

  async function prepare() {
    const hashes = await sampled();
    const opened = await must("open", async () =>
      api.open({
        deployment: given.deployment,
        source: given.source,
        fingerprint: await fingerprint(files, hashes, given.hashText),
        files: files.length,
        left_out: given.leftOut.slice(0, LEFT_OUT_NAMED),
        left_out_count: given.leftOut.length,
      }),
    );
    state.batch = opened.batch;
    state.resumed = opened.stored;
    const missing = [];
    for (let at = 0; at < files.length; at += PAGE) {
      const page = files.slice(at, at + PAGE);
      const lines = page.map(({ path, file }) => ({ path, size: file.size, modified: file.lastModified ?? null }));
      const { ids } = await must("open", () => api.manifest(state.batch, { files: lines }));
      ids.forEach((id, index) => {
        const one = page[index];
        one.id = id;
        if (id === null) arrived(one);
        else missing.push(one);
      });
      change();
    }
    return missing;
  }

  /**
   * Hashes of the samples that can be read; where none can, of the first file that can. Cameras give every card the
   * same names: by names and sizes alone one card would be taken for another, so it waits for the card.
   */
  async function sampled() {
    const hashes = new Map();
    const read = async (one) => {
      await goingOn();
      const sha256 = await hash(one.file).catch(() => null);
      if (sha256) hashes.set(one, sha256);
    };
    for (;;) {
      for (const one of samples(files)) await read(one);
      for (const one of files) if (!hashes.size) await read(one);
      if (hashes.size) return hashes;
      await waitForCard();
    }
  }

  // --- sending -------------------------------------------------------------------------------------------------

  async function send(missing) {
    state.phase = "sending";
    change();
    const ready = createChannel(AHEAD);
    const lanes = Array.from({ length: LANES }, async (_, lane) => {
      for (let next = await ready.take(); next; next = await ready.take()) await sendOne(lane, next);
    });
    await Promise.all([hashAhead(missing, ready).finally(() => ready.close()), ...lanes]);
  }

  /** Hashes in order, asks in groups which the server has already, and hands on the rest. */
  async function hashAhead(missing, ready) {
    const todo = [...missing].reverse();
    let most = FIRST_GROUP;
    let suspects = []; // could not be read, with nothing read since
    while (todo.length || suspects.length) {
      const group = [];
      while (todo.length && group.length < most) {
        await goingOn();
        const one = todo.pop();
        if (one.file.size > given.largest) {
          fail(one, { key: "too_large" });
          continue;
        }
        try {
          group.push({ one, sha256: await hash(one.file) });
          suspects = flush(suspects);
        } catch {
          suspects.push(one);
          if (suspects.length >= UNREAD_IN_A_ROW) {
            if (await cardIsGone(todo)) {
              todo.push(...suspects.reverse());
              suspects = [];
              await waitForCard();
            } else suspects = flush(suspects);
          }
        }
      }
      if (!todo.length && suspects.length) {
        if (!group.length && (await cardIsGone(files))) {
          todo.push(...suspects.reverse());
          suspects = [];
          await waitForCard();
        } else suspects = flush(suspects);
      }
      most = GROUP;
      if (!group.length) continue;
      const asked = group.map(({ one, sha256 }) => ({ id: one.id, sha256 }));
      const here = new Set((await must("ahead", () => api.recognise(state.batch, { files: asked }))).stored);
      for (const next of group) {
        if (here.has(next.one.id)) {
          state.known += 1;
          arrived(next.one);
          change();
        } else await ready.put(next);
      }
    }
  }

  function flush(suspects) {
    for (const one of suspects) fail(one, { key: "not_read" });
    return [];
  }

  /** Whether nothing of the card can be read any more, judged by a few other files. */
  async function cardIsGone(others) {
    for (const { file } of [...samples(files), ...others.slice(0, 2)]) {
      if (await given.readable(file)) return false;
    }
    return true;
  }

  async function waitForCard() {
    trouble("card", "card");
    await sleep("card", LONGEST_MS / 3);
    trouble("card", null);
  }

  async function sendOne(lane, { one, sha256 }) {
    for (let changes = 0; ; changes += 1) {
      const answer = await put(lane, one, sha256);
      if (answer === "card") continue;
      if (answer.status < 300) {
        arrived(one);
        return change();
      }
      // Its list says another size: sending it again cannot help, choosing the folder again does.
      if (answer.body?.why === "resized") return fail(one, { key: "resized" });
      if (answer.status !== 422 || changes >= 2) {
        const key = { 0: "not_read", 422: "changed" }[answer.status];
        return fail(one, key ? { key } : { words: words(answer.body) });
      }
      try {
        sha256 = await hash(one.file);
      } catch {
        return fail(one, { key: "not_read" });
      }
    }
  }

  async function put(lane, one, sha256) {
    let counted = 0;
    const progress = (bytes) => {
      state.onTheWay += Math.min(bytes, one.file.size) - counted;
      counted = Math.min(bytes, one.file.size);
      change();
    };
    try {
      return await ask(
        lane,
        async () => {
          try {
            return await api.put(state.batch, one.id, sha256, one.file, progress);
          } catch (error) {
            if (await given.readable(one.file)) throw error;
            throw new Unread();
          } finally {
            progress(0);
          }
        },
        { tries: TRIES_OF_ONE },
      );
    } catch (error) {
      if (!(error instanceof Unread)) throw error;
      if (!(await cardIsGone([]))) return { status: 0 };
      trouble(lane, "card");
      await sleep("card", LONGEST_MS / 3);
      trouble(lane, null);
      return "card";
    }
  }

  // --- the end -------------------------------------------------------------------------------------------------

  async function close() {
    state.phase = "closing";
    change();
    const problems = state.failures.map(({ one, key, words: said }) => ({
      id: one.id,
      reason: (key && REASONS[key]) || said || REASONS.not_read,
    }));
    await must("close", () => api.close(state.batch, { problems }));
    state.closed = true;
    change();
    // Who leaves a page over a poor line may arrive nowhere: first it must be known that the receipt can be had.
    await ask("receipt", () => api.receipt(state.batch));
    state.phase = "done";
    change();
  }

  async function guarded(work) {
    try {
      await work();
    } catch (error) {
      state.phase = "stopped";
      state.reason = error.message;
      change();
      if (!(error instanceof Stopped)) throw error; // a fault of this script: said on the page and in the console
    }
  }

  async function sendAndClose(missing) {
    await send(missing);
    if (!state.failures.length) return close();
    state.phase = "attention";
    return change();
  }

  return {
    state,
    start: () => guarded(async () => sendAndClose(await prepare())),
    /** Once more those that failed. */
    again() {
      const missing = state.failures.map(({ one }) => one);
      state.failures = [];
      return guarded(() => sendAndClose(missing));
    },
    /** Close without those that failed; the receipt names them. */
    finish: () => guarded(close),
    pause() {
      state.paused = true;
      change();
    },
    goOn() {
      state.paused = false;
      for (const go of waitingToGoOn) go();
      waitingToGoOn = [];
      wake();
      change();
    },
    /** Try at once what it waits for: the line is back, or the person says so. */
    wake: () => wake(),
  };
}

/** As the server stores them; it translates them when they are shown (detection/cards/words.py). */
const REASONS = {
  not_read: "could not be read from the card",
  too_large: "larger than this server takes",
  changed: "changed while it was sent",
  resized: "grew or shrank after the folder was chosen: hand the folder over again",
};

/** What a refusal says, whatever its form. */
function words(body) {
  if (typeof body === "string") return body;
  if (Array.isArray(body)) return body.map(words).join(" ");
  if (body && typeof body === "object") return words(body.detail ?? Object.values(body));
  return "";
}

/**
 * The talk with the server: claims, autosave of drafts, reviews; retried until they arrive.
 *
 * Per frame at most one draft and one review wait, the newest; they leave in order, one request at a time, and
 * lie in the outbox until the server has them. Versions are read when a request leaves, so that an autosave
 * in flight never makes the review behind it a conflict. It draws nothing and knows no boxes' meaning.
 *
 *   waiting ──▶ in flight ──▶ gone (2xx)
 *      ▲            ├─ no line, 5xx, 429: waits longer each time ─┐
 *      ├────────────┴─────────────────────────────────────────────┘
 *      └─ 409, 410, 404, 403, 400: held until a person chose (`resolve`, `retry`, `discard`, a new decision)
 *
 * Events: "state" {kind, pending}; "saved" {id}; "reviewed" {id, doneToday, feedback};
 *   "conflict" {id, mine, theirs}; "lost" {id, detail, code: "taken" | "settled" | "unserved" | null}; "refused" {id, detail}.
 * kind: "saved" | "saving" | "waiting" (line down) | "signedout" | "attention" (something is held).
 */

import { createEmitter } from "./emitter.js";
import { newKey, sameBoxes } from "./store.js";

/** The line is down, or the server is: worth trying again. */
export class LineDown extends Error {}
/** The session has ended. Trying again helps once the person signed in, in another tab say. */
export class SignedOut extends LineDown {}
/** The server understood and said no; `status` and its `detail` say why. */
export class Refused extends Error {
  constructor(status, data) {
    super(data?.detail ?? String(status));
    this.status = status;
    this.data = data ?? {};
  }
}

/** How many lists sent without an answer are remembered for each frame. */
const TRIED = 8;

/** … each of them once: a list that is tried again and again must not fill the browser's storage. */
const tried = ({ known }, boxes) => (known.includes(boxes) ? known : [...known, boxes].slice(-TRIED));

/** Seconds before trial number `failures` + 1, spread so that a whole park does not call at once. */
export const backOff = (failures, random = Math.random) =>
  Math.min(2 ** (failures - 1), 30) * (0.75 + random() / 2);

/**
 * @param {object} given
 * @param {typeof fetch} given.fetch
 * @param {{all(): any, put(entry: object): any, remove(id: any): any}} given.outbox
 * @param {string} given.claimUrl  @param {string} given.frameUrl with "{id}"
 * @param {() => string} given.csrf  @param {string|null} given.day
 * @param {string} given.person who opened the page: whoever has signed in since states nothing of it
 * @param {number} given.autosave milliseconds between a change and its sending
 */
export function createSync({
  fetch,
  outbox,
  claimUrl,
  frameUrl,
  csrf,
  person = "",
  day = null,
  autosave = 700,
  timeout = 20_000,
  timers = { set: (fn, ms) => setTimeout(fn, ms), clear: (id) => clearTimeout(id) },
  random = Math.random,
}) {
  const { on, emit } = createEmitter();
  const records = new Map();
  let line = "up";
  let failures = 0;
  let pumping = null;
  let timer = null;
  let told = "";

  // ── Records ───────────────────────────────────────────────────────────────────────────────

  function recordOf(id) {
    if (!records.has(id))
      records.set(id, {
        ...{ id, version: null, draft: null, review: null },
        known: [], // boxes that the server has or may have: an answer can be lost on the way
        ...{ ready: false, sending: null, held: null, stale: false, clashes: 0, timer: null },
      });
    return records.get(id);
  }

  const owes = (record) => Boolean(record.draft || record.review);

  function keep(record) {
    const { id, version, known, draft, review } = record;
    try {
      Promise.resolve(
        owes(record) ? outbox.put({ id, version, known, draft, review }) : outbox.remove(id),
      ).catch(() => {});
    } catch {
      // A full or forbidden storage only costs the second net: the request itself still goes.
    }
  }

  function state() {
    const owing = [...records.values()].filter(owes);
    const pending = owing.filter((record) => !record.held).length;
    let kind = "saved";
    if (line === "signedout") kind = "signedout";
    else if (line === "down") kind = "waiting";
    else if (pending) kind = "saving";
    else if ([...records.values()].some((record) => record.held)) kind = "attention";
    return { kind, pending: owing.length };
  }

  function tell() {
    const now = state();
    const text = JSON.stringify(now);
    if (text === told) return;
    told = text;
    emit("state", now);
  }

  // ── Requests ──────────────────────────────────────────────────────────────────────────────

  const address = (id, rest = "") => {
    const base = frameUrl.replace("{id}", encodeURIComponent(id));
    return rest ? `${base.replace(/\/$/, "")}/${rest}` : base;
  };

  async function request(method, url, body, { keepalive = false } = {}) {
    try {
      const answer = await ask(method, url, body, keepalive);
      line = "up";
      return answer;
    } catch (error) {
      if (error instanceof LineDown) line = error instanceof SignedOut ? "signedout" : "down";
      else line = "up";
      throw error;
    } finally {
      tell();
    }
  }

  async function ask(method, url, body, keepalive) {
    const abort = new AbortController();
    const limit = timers.set(() => abort.abort(), timeout);
    let response;
    let data = null;
    let type = "";
    try {
      response = await fetch(url, {
        method,
        credentials: "same-origin",
        keepalive,
        signal: abort.signal,
        headers: {
          Accept: "application/json",
          ...(person && { "X-Person": person }),
          ...(body && { "Content-Type": "application/json", "X-CSRFToken": csrf() }),
        },
        ...(body && { body: JSON.stringify(body) }),
      });
      type = response.headers.get("content-type") ?? "";
      if (type.includes("json")) data = await response.json();
    } catch (error) {
      throw new LineDown(String(error));
    } finally {
      timers.clear(limit);
    }
    const { status } = response;
    if (status >= 500 || status === 429 || status === 408) throw new LineDown(String(status));
    // A sign-in page in place of an answer, or a token that died with its session.
    const page = type.includes("html");
    if (status === 401 || (page && (status === 403 || response.ok))) throw new SignedOut();
    if (!data && response.ok) throw new LineDown("half an answer"); // a line cut among the headers
    if (!response.ok) throw new Refused(status, data);
    return data;
  }

  // ── Sending what waits ────────────────────────────────────────────────────────────────────

  function next() {
    const due = [...records.values()].filter((record) => owes(record) && !record.held);
    return due.find((record) => record.review) ?? due.find((record) => record.ready) ?? null;
  }

  /** Send all that is due, one by one; resolves when nothing is due or the line is down. */
  function pump() {
    pumping ??= run().finally(() => {
      pumping = null;
      tell();
    });
    return pumping;
  }

  async function run() {
    timers.clear(timer);
    timer = null;
    for (let record = next(); record; record = next()) {
      tell();
      try {
        await send(record);
        failures = 0;
      } catch (error) {
        if (!(error instanceof LineDown)) throw error;
        failures += 1;
        // Last in line: what fails on one frame alone must not keep the others from leaving.
        records.delete(record.id);
        records.set(record.id, record);
        timer = timers.set(pump, backOff(failures, random) * 1000);
        return;
      }
    }
    // Nothing is due any more (it may have been withdrawn): what comes next need not wait.
    failures = 0;
  }

  async function send(record) {
    const { draft, review } = record;
    record.sending = review ?? draft;
    try {
      if (record.stale) await refresh(record);
      if (review) await sendReview(record, review);
      else await sendDraft(record, draft);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      refuse(record, error, review, draft);
    } finally {
      record.sending = null;
      keep(record);
    }
  }

  /** A frame reviewed before has moved on since: ask where it stands, which also takes its lease. */
  async function refresh(record) {
    const frame = await request("GET", address(record.id));
    record.version = frame.version;
    record.stale = false;
  }

  async function sendDraft(record, boxes) {
    record.known = tried(record, boxes);
    const body = { version: record.version, boxes };
    const data = await request("PUT", address(record.id, "draft"), body);
    record.version = data.version;
    record.known = [boxes];
    record.clashes = 0;
    if (record.draft === boxes) record.draft = null;
    emit("saved", { id: record.id });
  }

  async function sendReview(record, review) {
    const { drawn, ...stated } = review;
    if (drawn) {
      await sendDraft(record, drawn);
      review.drawn = null;
    } else if (["boxes", "nobody"].includes(review.verdict)) record.known = tried(record, review.boxes);
    const body = { ...stated, version: record.version };
    const data = await request("POST", address(record.id, "reviews"), body);
    if (record.review === review) record.review = null;
    record.version = data.version ?? record.version;
    record.stale = data.version === undefined;
    record.known = [review.boxes];
    record.clashes = 0;
    emit("reviewed", { id: record.id, doneToday: data.done_today ?? null, feedback: data.feedback ?? null });
  }

  function refuse(record, error, review, draft) {
    const { id } = record;
    const mine = review ? (review.drawn ?? review.boxes) : draft;
    if (error.status === 409) {
      const theirs = error.data.boxes ?? [];
      record.version = error.data.version;
      const agreed = sameBoxes(theirs, mine);
      record.clashes += 1;
      // Only the number moved on, or both sides say the same: no person needs to choose.
      if ((agreed || record.known.some((boxes) => sameBoxes(theirs, boxes))) && record.clashes < 3) {
        if (!review && agreed && record.draft === draft) record.draft = null;
        return;
      }
      record.clashes = 0;
      record.held = "conflict";
      emit("conflict", { id, mine, theirs, verdict: review?.verdict ?? null });
    } else if ([410, 404, 403].includes(error.status)) {
      record.held = "lost";
      emit("lost", { id, detail: error.message, code: error.data.code ?? null });
    } else {
      // The statement was not taken: its boxes stay, as a draft, until the person decides anew.
      record.held = "refused";
      if (review && record.review === review) record.review = null;
      if (review?.verdict === "boxes") record.draft ??= review.boxes;
      emit("refused", { id, detail: error.message, verdict: review?.verdict ?? null });
    }
  }

  // ── What the others call ──────────────────────────────────────────────────────────────────

  function track(frame) {
    const record = recordOf(frame.id);
    // An answer that was on its way while a later write arrived tells of the past.
    if (owes(record) || frame.version < record.version) return;
    record.version = frame.version;
    record.known = [frame.boxes];
    record.stale = false;
  }

  function release(record) {
    record.held = null;
    record.ready = true;
    keep(record);
    tell();
    return pump();
  }

  return {
    on,
    get state() {
      return state();
    },

    /** Claim `want` more frames and renew the leases of those in `holding`. */
    async claim(want, holding) {
      const data = await request("POST", claimUrl, { want, holding, day });
      const fresh = data.frames.filter((frame) => !holding.includes(frame.id));
      for (const frame of fresh) track(frame);
      const { left = null, done_today: doneToday = null, rest = null } = data;
      return { frames: fresh, left, doneToday, rest };
    },

    /** One frame again, to go back to it. */
    async frame(id) {
      const frame = await request("GET", address(id));
      track(frame);
      return frame;
    },

    get: (url) => request("GET", url),

    /** Post to an address that came with a frame (lifting its mask). */
    post: (url, body = {}) => request("POST", url, body),

    /** Boxes of a frame that were not sent yet, found again after a reload; or null. */
    unsent: (id) => records.get(id)?.draft ?? null,

    /** Boxes changed: keep them now, send them when the hand rests. */
    draft(id, boxes) {
      const record = recordOf(id);
      record.draft = boxes;
      if (record.held === "refused") record.held = null;
      record.ready = false;
      keep(record);
      tell();
      timers.clear(record.timer);
      record.timer = timers.set(() => {
        record.ready = true;
        if (failures === 0) pump();
      }, autosave);
    },

    /**
     * State a review; it replaces a draft of the frame that still waits. Who neither says what is there nor that
     * nobody is keeps what they had drawn: it leaves before. @returns its request id
     */
    review(id, { verdict, boxes, seconds, comment = "" }) {
      const record = recordOf(id);
      timers.clear(record.timer);
      const drawn = ["boxes", "nobody"].includes(verdict) ? null : record.draft;
      record.draft = null;
      if (record.held === "refused") record.held = null;
      record.review = { request_id: newKey(), verdict, boxes, seconds, comment, ...(drawn && { drawn }) };
      keep(record);
      tell();
      if (failures === 0) pump();
      return record.review.request_id;
    },

    /** Take back a review that has not left. @returns whether it had not */
    withdraw(id) {
      const record = records.get(id);
      if (!record?.review || record.sending === record.review) return false;
      record.review = null;
      if (record.held) record.held = null;
      keep(record);
      tell();
      return true;
    },

    /** A conflict: "mine" goes over the other side, "theirs" lets mine go. */
    resolve(id, side) {
      const record = recordOf(id);
      if (side === "theirs") {
        record.draft = null;
        record.review = null;
      }
      return release(record);
    },

    /** A lost lease: ask for the frame again. @returns whether it is ours once more */
    async retry(id) {
      const record = recordOf(id);
      try {
        await request("POST", claimUrl, { want: 0, holding: [id], day });
        await refresh(record);
      } catch {
        return false;
      }
      await release(record);
      return record.held === null;
    },

    /** Let what waits for a frame go. */
    discard(id) {
      const record = recordOf(id);
      record.draft = null;
      record.review = null;
      return release(record);
    },

    /** Do not wait for the hand to rest, nor for the next trial. */
    flush() {
      for (const record of records.values()) record.ready = true;
      return pump();
    },

    /** The page goes away: one last try that outlives it; the outbox keeps the rest. */
    leave() {
      for (const record of records.values()) {
        if (!owes(record) || record.held || record.sending || record.stale || record.review?.drawn) continue;
        const { version, draft, review } = record;
        record.known = tried(record, review?.boxes ?? draft);
        keep(record);
        const [method, rest, body] = review
          ? ["POST", "reviews", { ...review, version }]
          : ["PUT", "draft", { version, boxes: draft }];
        request(method, address(record.id, rest), body, { keepalive: true }).catch(() => {});
      }
    },

    /** Send what an earlier page left behind, before anything is claimed. */
    async recover() {
      const entries = await outbox.all();
      for (const entry of entries) Object.assign(recordOf(entry.id), entry, { ready: true });
      tell();
      await pump();
      return entries.length;
    },
  };
}

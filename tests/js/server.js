/** A server for the tests of sync and sitting: keeps versions as the real one does, and can be cut off. */

import { createOutbox } from "../../annotation/static/annotation/outbox.js";
import { createSync } from "../../annotation/static/annotation/sync.js";

/** A localStorage. */
export function storage() {
  const map = new Map();
  return {
    get length() {
      return map.size;
    },
    key: (index) => [...map.keys()][index] ?? null,
    getItem: (name) => map.get(name) ?? null,
    setItem: (name, value) => map.set(name, String(value)),
    removeItem: (name) => map.delete(name),
  };
}

/** Time that moves when told to. */
export function clock() {
  let now = 0;
  let last = 0;
  const due = new Map();
  return {
    timers: {
      set(fn, ms) {
        due.set((last += 1), { fn, at: now + ms });
        return last;
      },
      clear: (id) => due.delete(id),
    },
    /** Let `ms` pass, one timer after the other, and wait for what they began. */
    async pass(ms) {
      const end = now + ms;
      for (;;) {
        const next = [...due].filter(([, { at }]) => at <= end).sort((a, b) => a[1].at - b[1].at)[0];
        if (!next) break;
        due.delete(next[0]);
        now = next[1].at;
        next[1].fn();
        await settle();
      }
      now = end;
      await settle();
    },
  };
}

/** Let every promise that can be resolved be. */
export async function settle() {
  for (let turn = 0; turn < 40; turn += 1) await Promise.resolve();
}

export const box = (key, x = 0.1, more = {}) => ({ key, label: "person", activity: "", x, y: 0.2, w: 0.05, h: 0.1, score: null, ...more });

export function createServer(frames = []) {
  const server = {
    frames: new Map(frames.map((frame) => [frame.id, { version: 0, boxes: [], image: `/${frame.id}`, ...frame }])),
    queue: frames.map((frame) => frame.id),
    reviews: new Map(), // request id → {id, verdict, boxes}
    log: [],
    left: 0,
    /** What happens before a request is read: return a status, or throw for a dead line. */
    before: () => null,
    /** What happens after it was done: throw, and the answer is lost on its way. */
    after: () => {},
    /** In place of every answer: a page of that type, "" for headers that were cut. */
    html: null,
  };

  const reply = (status, data, type = "application/json") => ({
    status,
    ok: status < 400,
    headers: { get: () => type },
    json: async () => structuredClone(data),
  });

  function answer(method, url, body) {
    if (url === "/claim") {
      const got = server.queue.splice(0, body.want).map((id) => server.frames.get(id));
      return reply(200, { frames: got, left: server.left, done_today: server.reviews.size });
    }
    const [, number, what] = /^\/frames\/(\d+)(?:\/(\w+))?$/.exec(url);
    const frame = server.frames.get(Number(number));
    if (!frame || frame.gone) return reply(frame ? 410 : 404, { detail: "gone", code: frame?.gone });
    if (!what) return reply(200, frame);
    const before = server.reviews.get(body.request_id);
    if (before) return reply(200, { version: frame.version, settled: false, done_today: server.reviews.size });
    if (body.version !== frame.version)
      return reply(409, { detail: "conflict", version: frame.version, boxes: frame.boxes });
    Object.assign(frame, { version: frame.version + 1, boxes: body.boxes });
    if (what === "draft") return reply(200, { version: frame.version });
    server.reviews.set(body.request_id, { id: frame.id, verdict: body.verdict, boxes: body.boxes, comment: body.comment });
    return reply(200, { version: frame.version, settled: false, done_today: server.reviews.size });
  }

  server.fetch = async (url, { method, body }) => {
    const sent = body ? JSON.parse(body) : {};
    server.log.push(`${method} ${url}`);
    await null;
    if (server.html !== null) return reply(200, null, server.html);
    const status = server.before({ method, url, body: sent });
    if (status) return reply(status, { detail: `status ${status}` });
    const given = answer(method, url, sent);
    server.after({ method, url, body: sent });
    return given;
  };
  /** The last statement on each frame. */
  server.stated = (id) => [...server.reviews.values()].filter((review) => review.id === id).at(-1) ?? null;
  return server;
}

/** One page: a sync that talks to `server`, with its events written down. */
export function openPage(server, { store = storage(), time = clock() } = {}) {
  const sync = createSync({
    fetch: server.fetch,
    outbox: createOutbox(store, "7"),
    claimUrl: "/claim",
    frameUrl: "/frames/{id}",
    csrf: () => "token",
    timers: time.timers,
    random: () => 0.5,
  });
  const events = [];
  for (const type of ["saved", "reviewed", "conflict", "lost", "refused"])
    sync.on(type, (detail) => events.push({ type, ...detail }));
  return { sync, store, time, events, kinds: () => events.map((event) => event.type) };
}

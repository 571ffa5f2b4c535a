/** Requests of handing over a card. Gives {status, body, retryAfter}; throws when there was no answer. */

const STALLED_MS = 60_000; // without a byte going through
const ANSWER_MS = 120_000; // for the server to say something to what it has got

/** The cookie is the fresher one: it changes when the person signs in again in another tab. */
function csrf() {
  const cookie = /(?:^|;\s*)csrftoken=([^;]+)/.exec(document.cookie);
  return cookie?.[1] ?? document.querySelector('meta[name="csrf-token"]')?.content ?? "";
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null; // a proxy's page says nothing to us
  }
}

/**
 * XMLHttpRequest, for fetch tells nothing of bytes on their way, and a dead line must be noticed.
 * `json` false: the answer is a page. Elsewhere a yes without its words is a line that was cut in mid-answer:
 * without TLS, Chromium takes a cut among the headers for the end of them.
 */
function send(method, url, body, { type, json = true, onProgress = () => {} }) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    let watch = 0;
    const expect = (ms) => {
      clearTimeout(watch);
      watch = setTimeout(() => request.abort(), ms);
    };
    request.open(method, url);
    request.setRequestHeader("Content-Type", type);
    request.setRequestHeader("X-CSRFToken", csrf());
    request.setRequestHeader("Accept", "application/json");
    request.upload.onprogress = ({ loaded }) => {
      expect(STALLED_MS);
      onProgress(loaded);
    };
    request.upload.onload = () => expect(ANSWER_MS);
    request.onprogress = () => expect(STALLED_MS);
    request.onloadend = () => {
      clearTimeout(watch);
      const words = parsed(request.responseText);
      const half = json && request.status < 300 && words === null;
      if (request.status === 0 || half) reject(new Error("no answer"));
      else {
        // Pages, unlike the API, send whoever is signed out to another page.
        const there = new URL(request.responseURL).pathname === new URL(url, location.href).pathname;
        resolve({
          status: there ? request.status : 401,
          body: words,
          retryAfter: Number(request.getResponseHeader("Retry-After")) || 0,
        });
      }
    };
    expect(STALLED_MS);
    request.send(body);
  });
}

const post = (url, body) => send("POST", url, JSON.stringify(body), { type: "application/json" });
const BYTES = "application/octet-stream";

/** @param {{open: string, propose: string, card: (batch: number) => string, page: (batch: number) => string}} urls */
export function createApi(urls) {
  return {
    propose: (head) => send("POST", urls.propose, head, { type: BYTES }),
    open: (body) => post(urls.open, body),
    manifest: (batch, body) => post(`${urls.card(batch)}/manifest`, body),
    recognise: (batch, body) => post(`${urls.card(batch)}/recognise`, body),
    put: (batch, id, sha256, file, onProgress) =>
      send("PUT", `${urls.card(batch)}/files/${id}/${sha256}`, file, { type: BYTES, onProgress }),
    close: (batch, body) => post(`${urls.card(batch)}/close`, body),
    receipt: (batch) => send("GET", urls.page(batch), null, { type: "application/json", json: false }),
  };
}

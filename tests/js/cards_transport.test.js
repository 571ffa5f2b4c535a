import assert from "node:assert/strict";
import test from "node:test";

import { createApi } from "../../detection/static/detection/transport.js";

const SITE = "http://lake.example";
const urls = { open: "/open", propose: "/propose", card: (batch) => `/cards/${batch}`, page: (batch) => `/page/${batch}` };

/** A browser whose next answer is `{status, text, at}`; `at` is where it came from. */
function browser({ status, text = "", at }) {
  globalThis.document = { cookie: "csrftoken=t" };
  globalThis.location = { href: `${SITE}/lakes/` };
  globalThis.XMLHttpRequest = class {
    upload = {};
    status = status;
    responseText = text;
    open(_, url) {
      this.responseURL = SITE + (at ?? url);
    }
    setRequestHeader() {}
    getResponseHeader() {
      return null;
    }
    send() {
      setImmediate(() => this.onloadend());
    }
  };
  return createApi(urls);
}

test("an answer is its status and its words", async () => {
  const { status, body } = await browser({ status: 200, text: '{"stored": []}' }).recognise(1, {});
  assert.deepEqual([status, body], [200, { stored: [] }]);
});

for (const [what, answer] of Object.entries({
  "no answer": { status: 0 },
  "a yes cut among its headers": { status: 200 },
  "a yes cut in its words": { status: 201, text: '{"sto' },
})) {
  test(`${what} is a cut line`, async () => {
    await assert.rejects(browser(answer).recognise(1, {}), /no answer/);
  });
}

test("a refusal needs no words, and a page is none", async () => {
  assert.equal((await browser({ status: 503 }).open({})).status, 503);
  assert.equal((await browser({ status: 200, text: "<html>" }).receipt(1)).status, 200);
  assert.equal((await browser({ status: 200, text: "<html>", at: "/sign-in" }).receipt(1)).status, 401);
});

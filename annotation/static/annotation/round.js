/**
 * A round of twenty decisions: how far it is, and at its end a card of what it gave. Then on, or a pause.
 * The sentences come from the server; what was decided is kept there whatever happens here.
 */

export const ROUND = 20;

/**
 * @param {object} given
 * @param {(name: string) => HTMLElement} given.part  @param {HTMLDialogElement} given.dialog
 * @param {() => boolean} given.wanted whether this person wants to be stopped
 * @param {(url: string) => Promise<{lines: string[], now: string, precision: number|null}>} given.ask
 */
export function createRound({ part, dialog, sitting, sync, ask, url, since, precision, text, wanted }) {
  const done = new Set();
  let asked = false;

  function show() {
    part("round").textContent = text("round", { n: Math.min(done.size, ROUND), all: ROUND });
  }

  async function end() {
    if (asked || done.size < ROUND || !wanted()) return;
    asked = true;
    sitting.current?.watch.pause();
    try {
      await sync.flush();
      const query = new URLSearchParams({ since, ...(precision !== null && { precision }) });
      const card = await ask(`${url}?${query}`);
      dialog.querySelector("[data-lines]").replaceChildren(
        ...card.lines.map((line) => Object.assign(document.createElement("li"), { textContent: line })),
      );
      ({ now: since, precision } = card);
      dialog.showModal();
    } catch {
      // The line is down: the card can wait for the next twenty.
    }
    done.clear();
    asked = false;
    show();
  }

  sitting.on("decided", ({ visit }) => {
    done.add(visit);
    show();
    // Not in the middle of a key: what was decided is drawn first.
    setTimeout(end);
  });
  sitting.on("reopened", ({ visit }) => {
    done.delete(visit);
    show();
  });
  show();
}

/** Messages that need an answer (a lost lease, a refusal), and passing words for eyes and screen readers. */

const PASSING_MS = 2200;

/**
 * @param {HTMLElement} host holds the messages  @param {HTMLElement} live polite region of a screen reader
 * @param {HTMLElement} toast short words over the picture  @param {() => void} giveFocus where it goes from a
 *   message that was answered: keys must not die with it
 */
export function createNotices({ host, live, toast, giveFocus }) {
  const shown = new Map();
  let timer = null;

  function clear(id) {
    const notice = shown.get(id);
    if (!notice) return;
    const focused = notice.contains(document.activeElement);
    notice.remove();
    shown.delete(id);
    if (focused) giveFocus();
  }

  return {
    clear,
    /** @param {string} id a message replaces the one of the same id  @param {{text: string, run: () => any}[]} actions */
    show(id, text, actions = []) {
      clear(id);
      const notice = document.createElement("div");
      notice.className = "notice";
      notice.dataset.testid = "notice";
      notice.dataset.notice = id;
      notice.append(Object.assign(document.createElement("p"), { textContent: text }));
      for (const { text: words, run } of actions) {
        const button = document.createElement("button");
        Object.assign(button, { type: "button", className: "btn btn-sm btn-light", textContent: words });
        button.addEventListener("click", run);
        notice.append(button);
      }
      shown.set(id, notice);
      host.append(notice);
    },
    /** Say something in passing: over the picture, and to a screen reader. */
    say(text) {
      live.textContent = text;
      toast.textContent = text;
      toast.classList.add("shown");
      clearTimeout(timer);
      timer = setTimeout(() => toast.classList.remove("shown"), PASSING_MS);
    },
    /** Tell a screen reader alone: eyes see it already. */
    whisper(text) {
      live.textContent = text;
    },
  };
}

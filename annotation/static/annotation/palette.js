/** Classes and activities as buttons with their digits: they set the selected boxes, else the next one. */

/**
 * @param {HTMLElement} host
 * @param {{value: string, text: string}[]} entries
 * @param {{command: string, prefix?: string}} given `prefix` is printed before the digit (⇧)
 */
export function createPalette(host, entries, { command, prefix = "" }) {
  const buttons = entries.map(({ value, text }, index) => {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "chip";
    button.dataset.command = command;
    button.dataset.value = value;
    button.dataset.label = value;
    button.append(Object.assign(document.createElement("span"), { className: "swatch", ariaHidden: "true" }), text);
    if (index < 9) {
      const digit = document.createElement("kbd");
      digit.textContent = `${prefix}${index + 1}`;
      button.append(digit);
    }
    return button;
  });
  host.replaceChildren(...buttons);
  return {
    /** Press the buttons of `values`; grey all of them out when they make no sense. */
    show(values, disabled = false) {
      for (const button of buttons) {
        button.setAttribute("aria-pressed", String(values.includes(button.dataset.value)));
        button.disabled = disabled;
      }
    },
  };
}

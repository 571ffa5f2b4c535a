/** The help panel, made from the key table; going to a time; a number; the two sides of a conflict. */

import { GROUPS, KEYS, printed } from "./keys.js";

const SVG = "http://www.w3.org/2000/svg";

const element = (tag, properties = {}, ...children) => {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
};

/** Fill the help panel: one table per group of keys. */
export function fillHelp(host, text, mac) {
  const tables = GROUPS.map((group) => {
    const entries = KEYS.filter((entry) => entry.group === group);
    const first = entries.filter((entry, at) => entries.findIndex((other) => other.text === entry.text) === at);
    const lines = first.map((entry) => {
      const keys = entries
        .filter((other) => other.text === entry.text)
        .flatMap((other) => printed(other, text, mac))
        .flatMap((name) => [element("kbd", { textContent: name }), " "]);
      const hold = entry.hold ? ` (${text("hold")})` : "";
      return element(
        "tr",
        {},
        element("th", { scope: "row", textContent: text(entry.text) + hold }),
        element("td", {}, ...keys),
      );
    });
    return element(
      "table",
      { className: "help-table" },
      element("caption", { textContent: text(`group_${group}`) }),
      element("tbody", {}, ...lines),
    );
  });
  host.replaceChildren(...tables);
}

/** Frames of the sitting as buttons, by their time. */
export function fillTimes(host, { visits, current, text, choose }) {
  const items = visits.map((visit) => {
    const { day_label: day, time_label: time } = visit.frame;
    const button = element(
      "button",
      { type: "button", className: "time-row", onclick: () => choose(visit) },
      element("span", { textContent: `${day} ${time}` }),
      element("small", { textContent: text(visit.verdict ? `verdict_${visit.verdict}` : "to_check") }),
    );
    if (visit === current) button.setAttribute("aria-current", "true");
    return element("li", {}, button);
  });
  host.replaceChildren(...(items.length ? items : [element("li", { textContent: text("no_such_time") })]));
}

/** Ask for a number from 1 to `most`. @returns {Promise<number|null>} null: given up */
export function askNumber(dialog, most) {
  return new Promise((resolve) => {
    const form = dialog.querySelector("form");
    const input = form.querySelector("input");
    Object.assign(input, { max: most, value: most });
    form.onsubmit = (event) => {
      event.preventDefault();
      resolve(input.valueAsNumber);
      dialog.close();
    };
    dialog.addEventListener("close", () => resolve(null), { once: true });
    dialog.showModal();
    input.select();
  });
}

function figure({ boxes, image, size, title, counts, action, run }) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", `0 0 ${size.width} ${size.height}`);
  svg.setAttribute("aria-hidden", "true");
  if (image) {
    const picture = document.createElementNS(SVG, "image");
    picture.setAttribute("href", image);
    picture.setAttribute("width", size.width);
    picture.setAttribute("height", size.height);
    svg.append(picture);
  }
  for (const box of boxes) {
    const rect = document.createElementNS(SVG, "rect");
    rect.setAttribute("x", box.x * size.width);
    rect.setAttribute("y", box.y * size.height);
    rect.setAttribute("width", box.w * size.width);
    rect.setAttribute("height", box.h * size.height);
    rect.dataset.label = box.label;
    svg.append(rect);
  }
  return element(
    "section",
    { className: "side" },
    element("h3", { textContent: title }),
    svg,
    element("p", { textContent: counts }),
    element("button", { type: "button", className: "btn btn-light", textContent: action, onclick: run }),
  );
}

/**
 * Show both sides of a conflict.
 * @param {HTMLDialogElement} dialog  @returns {Promise<"mine"|"theirs"|null>} null: not now
 */
export function askConflict(dialog, { mine, theirs, image, size, text, count }) {
  return new Promise((resolve) => {
    const choose = (side) => {
      dialog.close();
      resolve(side);
    };
    const sides = [
      { name: "mine", boxes: mine },
      { name: "theirs", boxes: theirs },
    ].map(({ name, boxes }) =>
      figure({
        ...{ boxes, image, size, counts: count(boxes) },
        ...{ title: text(`conflict_${name}`), action: text(`conflict_keep_${name}`) },
        run: () => choose(name),
      }),
    );
    dialog.querySelector("[data-sides]").replaceChildren(...sides);
    dialog.addEventListener("close", () => resolve(null), { once: true });
    dialog.showModal();
  });
}

// Drawing zones over a picture: pointer and keyboard in, SVG and a table of corners out.
// State is zones_store.js; words come from the page (detection/zoning_text.py).

import { Zones } from "./zones_store.js";

const root = document.querySelector("[data-zones]");
const page = JSON.parse(document.getElementById("zones-data").textContent);
const part = (name) => root.querySelector(`[data-part=${name}]`);
const command = (name) => root.querySelector(`[data-command=${name}]`);
const svg = part("overlay");
const [width, height] = [Number(root.dataset.width), Number(root.dataset.height)];
const language = document.documentElement.lang || undefined;
const percent = new Intl.NumberFormat(language, { maximumFractionDigits: 1 });
const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name]);
const kindName = Object.fromEntries(page.kinds.map(({ value, text }) => [value, text]));
const STEP = { small: 0.0025, large: 0.025 };

const zones = new Zones(page.zones, page.most);
let seen = page.seen;
let state = "";
let gestures = 0;
let dragged = null;

// ---------------------------------------------------------------- drawing

function element(name, attributes = {}, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

function html(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

function drawShape(zone, number) {
  const points = zone.polygon.map(([x, y]) => `${x * width},${y * height}`).join(" ");
  const group = element("g", {
    class: `zone zone-${zone.kind}${number === zones.zone ? " selected" : ""}`,
    "data-zone": number,
  });
  group.append(element("polygon", { points }), element("polygon", { points, class: "line" }));
  if (zone.polygon.length > 2) {
    // Between two corners across from each other: inside a long bent shore too, as the mean is not.
    const [one, other] = [1, 3].map((part) => zone.polygon[Math.floor((part * zone.polygon.length) / 4)]);
    const middle = [0, 1].map((axis) => (one[axis] + other[axis]) / 2);
    group.append(
      element(
        "text",
        {
          class: "zone-name",
          x: middle[0] * width,
          y: middle[1] * height,
          "font-size": Math.round(height / 28),
        },
        kindName[zone.kind],
      ),
    );
  }
  return group;
}

function drawCorner([x, y], number) {
  const scale = width / (svg.clientWidth || width); // picture pixels of one on the screen
  const at = { cx: x * width, cy: y * height };
  const name = { n: number + 1, x: percent.format(x * 100), y: percent.format(y * 100) };
  return element(
    "g",
    {
      class: `corner${number === zones.corner ? " current" : ""}`,
      "data-corner": number,
      tabindex: 0,
      role: "button",
      "aria-label": fill(page.text.corner, name),
    },
    element("circle", { ...at, r: 14 * scale, class: "hit" }),
    element("circle", { ...at, r: 6 * scale, class: "dot" }),
  );
}

function drawList() {
  const rows = zones.zones.map((zone, number) => {
    const text = fill(page.text.listed, { n: number + 1, kind: kindName[zone.kind] });
    const button = html("button", { type: "button", className: `zone-${zone.kind}` }, text);
    button.setAttribute("aria-pressed", number === zones.zone);
    button.dataset.zone = number;
    return html("li", {}, button);
  });
  part("list").replaceChildren(
    ...(rows.length ? rows : [html("li", { className: "text-body-secondary" }, page.text.none)]),
  );
}

function number(label, value, corner, axis) {
  const input = html("input", {
    type: "number", min: 0, max: 100, step: 0.1, required: true,
    value: Math.round(value * 1000) / 10, className: "form-control form-control-sm",
  });
  input.setAttribute("aria-label", fill(label, { n: corner + 1 }));
  Object.assign(input.dataset, { corner, axis });
  return html("td", {}, input);
}

function drawSelected() {
  const chosen = zones.chosen;
  part("selected").hidden = !chosen;
  if (!chosen) return;
  part("selected-name").textContent = fill(page.text.zone, { n: zones.zone + 1 });
  part("kind").value = chosen.kind;
  part("corners").replaceChildren(
    ...chosen.polygon.map(([x, y], corner) => {
      const remove = html("button", { type: "button", className: "btn btn-sm btn-link" }, "✕");
      remove.setAttribute("aria-label", fill(page.text.remove_corner, { n: corner + 1 }));
      remove.dataset.remove = corner;
      return html(
        "tr",
        { className: corner === zones.corner ? "current" : "" },
        html("td", { className: "num" }, String(corner + 1)),
        number(page.text.across, x, corner, 0),
        number(page.text.down, y, corner, 1),
        html("td", {}, remove),
      );
    }),
  );
}

/** Draw everything anew; `focus` is a selector of what shall have the focus, else it stays. */
function draw(focus = "") {
  const held = focus || holder();
  svg.replaceChildren(
    ...zones.zones.map(drawShape),
    ...(zones.chosen ? zones.chosen.polygon.map(drawCorner) : []),
  );
  svg.classList.toggle("drawing", Boolean(zones.chosen));
  drawList();
  drawSelected();
  command("undo").disabled = !zones.past.length;
  command("save").disabled = !zones.changed || state === "saving";
  part("state").textContent = page.text[state || (zones.changed ? "unsaved" : "")] ?? "";
  if (held) root.querySelector(held)?.focus({ preventScroll: true });
}

/** A selector of what has the focus, if `draw` is about to replace it. */
function holder() {
  const { corner, axis, zone, remove } = document.activeElement?.dataset ?? {};
  if (axis !== undefined) return `input[data-corner="${corner}"][data-axis="${axis}"]`;
  if (corner !== undefined) return `.corner[data-corner="${corner}"]`;
  if (remove !== undefined) return `[data-remove="${Math.min(remove, zones.corner)}"]`;
  return zone === undefined ? "" : `button[data-zone="${zone}"]`;
}

function changed(focus = "") {
  state = "";
  part("problem").hidden = true;
  draw(focus);
}

const corner = (at) => `.corner[data-corner="${at}"]`;

function complain(text) {
  part("problem").textContent = text;
  part("problem").hidden = false;
}

// ---------------------------------------------------------------- pointer

function place(event) {
  const box = svg.getBoundingClientRect();
  return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
}

svg.addEventListener("pointerdown", (event) => {
  const handle = event.target.closest(".corner");
  if (!handle || event.button !== 0) return;
  event.preventDefault();
  gestures += 1;
  dragged = { corner: Number(handle.dataset.corner), tag: `drag ${gestures}` };
  svg.setPointerCapture(event.pointerId);
  zones.choose(zones.zone, dragged.corner);
  draw(corner(dragged.corner));
});

svg.addEventListener("pointermove", (event) => {
  if (!dragged) return;
  zones.moveCorner(dragged.corner, ...place(event), dragged.tag);
  changed();
});

for (const end of ["pointerup", "pointercancel"]) {
  svg.addEventListener(end, () => {
    // The click that follows a drag is part of it.
    setTimeout(() => {
      dragged = null;
    });
  });
}

svg.addEventListener("click", (event) => {
  if (dragged || event.target.closest(".corner")) return;
  if (zones.chosen) {
    addCorner(() => zones.addCorner(...place(event)));
  } else {
    const shape = event.target.closest("[data-zone]");
    if (shape) zones.choose(Number(shape.dataset.zone));
    draw();
  }
});

function addCorner(add) {
  if (add()) changed(corner(zones.corner));
  else complain(fill(page.text.many, { n: page.most }));
}

// ---------------------------------------------------------------- keyboard

const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

svg.addEventListener("keydown", (event) => {
  const handle = event.target.closest(".corner");
  if (!handle || event.ctrlKey || event.altKey || event.metaKey) return;
  const at = Number(handle.dataset.corner);
  if (ARROWS[event.key]) {
    const step = event.shiftKey ? STEP.large : STEP.small;
    const [x, y] = zones.chosen.polygon[at];
    const [right, down] = ARROWS[event.key];
    zones.moveCorner(at, x + right * step, y + down * step, `keys ${at}`);
    changed();
  } else if (event.key === "Delete" || event.key === "Backspace") {
    zones.removeCorner(at);
    changed(zones.corner < 0 ? "[data-command=corner]" : corner(zones.corner));
  } else if (event.key === "Enter" || event.key === " ") {
    zones.choose(zones.zone, at);
    draw();
  } else {
    return;
  }
  event.preventDefault();
});

root.addEventListener("keydown", (event) => {
  if (event.target.matches("input, select")) return;
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "z") {
    event.preventDefault();
    zones.undo();
    changed();
  } else if (event.key === "Escape" && zones.chosen) {
    commands.done();
  }
});

// ---------------------------------------------------------------- buttons and fields

const commands = {
  add() {
    zones.add(part("new-kind").value);
    changed("[data-command=corner]");
  },
  corner: () => addCorner(() => zones.addCornerBetween()),
  delete() {
    zones.remove();
    changed("[data-command=add]");
  },
  done() {
    zones.choose(-1);
    draw("[data-command=add]");
  },
  undo() {
    zones.undo();
    changed(zones.past.length ? "[data-command=undo]" : "[data-command=add]");
  },
  save,
};

root.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button || button.disabled) return;
  const { command: name, zone, remove } = button.dataset;
  if (name) commands[name]();
  else if (remove !== undefined) {
    zones.removeCorner(Number(remove));
    changed(zones.corner < 0 ? "[data-command=corner]" : "");
  } else if (zone !== undefined) {
    zones.choose(Number(zone));
    draw();
  }
});

root.addEventListener("change", (event) => {
  if (event.target === part("kind")) {
    zones.setKind(event.target.value);
    changed();
  } else if (event.target.dataset.axis !== undefined) {
    const at = Number(event.target.dataset.corner);
    const moved = [...zones.chosen.polygon[at]];
    if (event.target.value !== "") moved[event.target.dataset.axis] = event.target.value / 100;
    zones.moveCorner(at, ...moved);
    setTimeout(changed); // once the focus has gone where Tab or the pointer takes it
  }
});

root.addEventListener("focusin", (event) => {
  const { corner: at } = event.target.dataset;
  if (at === undefined || Number(at) === zones.corner) return;
  zones.choose(zones.zone, Number(at));
  // Marked only: drawing anew would take the field from under the pointer.
  for (const one of root.querySelectorAll(".corner")) {
    one.classList.toggle("current", one.dataset.corner === at);
  }
  for (const row of part("corners").rows) {
    row.classList.toggle("current", row.sectionRowIndex === Number(at));
  }
});

// ---------------------------------------------------------------- saving

async function save() {
  if (zones.unfinished) {
    complain(fill(page.text.few, { n: zones.unfinished }));
    return;
  }
  const sent = JSON.stringify(zones.zones);
  state = "saving";
  draw();
  let problem = page.text.failed;
  try {
    const answer = await fetch(root.dataset.url, {
      method: "POST",
      headers: {
        "Content-Type": "application/json",
        "X-CSRFToken": document.querySelector("meta[name=csrf-token]").content,
      },
      body: `{"seen": ${JSON.stringify(seen)}, "zones": ${sent}}`,
    });
    const body = await answer.json();
    problem = answer.ok ? "" : body.message;
    if (answer.ok) {
      seen = body.seen;
      zones.saved(sent);
    }
  } catch {
    // What was drawn stays on the page; `problem` says so.
  }
  state = problem || zones.changed ? "" : "saved";
  draw();
  if (problem) complain(problem);
  else part("problem").hidden = true;
}

addEventListener("beforeunload", (event) => {
  if (zones.changed) event.preventDefault();
});
addEventListener("resize", () => draw());

for (const select of [part("new-kind"), part("kind")]) {
  select.append(...page.kinds.map(({ value, text }) => new Option(text, value)));
}
part("tools").hidden = false;
draw();

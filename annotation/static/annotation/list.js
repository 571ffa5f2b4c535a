/**
 * The boxes as an HTML list beside the picture: for screen readers, and for exact work without a pointer.
 *
 * One row per box, in reading order; the selected one unfolds its fields (class, activity, x, y, width, height
 * in pixels of the picture shown). Rows are kept while their box lives, so that focus is never lost to a redraw.
 * Those of the last frame serve for the next, filled a few at a time after the picture was painted: 300 rows made
 * anew for each frame are 4,500 nodes to build and to sweep away, and the key after has to wait for both.
 */

import { boxId } from "./canvas.js";
import { isSuggestion } from "./store.js";

const FIELDS = ["x", "y", "w", "h"];
/** Rows filled in one go. */
const AT_ONCE = 40;

const element = (tag, properties = {}, ...children) => {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
};

/** Options of a select. */
const options = (entries) => entries.map(({ value, text }) => element("option", { value, textContent: text }));

/**
 * @param {object} given
 * @param {HTMLOListElement} given.list
 * @param {ReturnType<typeof import("./editing.js").createEditing>} given.edit
 * @param {(key: string, values?: object) => string} given.text
 * @param {{value: string, text: string}[]} given.labels  @param {{value: string, text: string}[]} given.activities
 * @param {string} given.icons address of the icons  @param {ReturnType<typeof import("./words.js").createWords>} given.words
 * @param {(key: string) => void} given.onSelect a row was chosen
 */
export function createList({ list, edit, text, labels, activities, icons, words, onSelect }) {
  const rows = new Map(); // of this frame; a row that still shows a box of the last one does nothing
  let spare = []; // of the last frame, the first to be taken at the end
  let store = null;
  let size = { width: 1, height: 1 };
  let later = null;

  function button(className, icon, name, run) {
    const made = element("button", { type: "button", className, title: name, onclick: run });
    made.setAttribute("aria-label", name);
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    svg.classList.add("icon");
    svg.setAttribute("aria-hidden", "true");
    const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
    use.setAttribute("href", `${icons}#${icon}`);
    svg.append(use);
    made.append(svg);
    return made;
  }

  /** A row for a box: one of the last frame's, or a new one. */
  function take(key) {
    const row = spare.pop() ?? create();
    row.fields?.remove();
    Object.assign(row, { key, box: null, fields: null });
    row.item.dataset.key = key;
    rows.set(key, row);
    return row;
  }

  function create() {
    const row = {
      number: element("span", { className: "row-number" }),
      words: element("span", { className: "row-words" }),
      item: element("li", { className: "box-row" }),
      fields: null,
      box: null,
      key: "",
    };
    row.item.dataset.testid = "box-row";
    row.main = element(
      "button",
      { type: "button", className: "row-main", onclick: () => rows.has(row.key) && onSelect(row.key) },
      element("span", { className: "swatch", ariaHidden: "true" }),
      row.number,
      row.words,
    );
    row.accept = button("row-action", "accept", text("accept"), () => rows.has(row.key) && edit.accept([row.key]));
    row.remove = button("row-action", "remove", text("remove"), () => {
      const focus = row.item.nextElementSibling ?? row.item.previousElementSibling;
      edit.remove([row.key]);
      (focus?.querySelector(".row-main") ?? list).focus();
    });
    row.item.append(element("div", { className: "row-head" }, row.main, row.accept, row.remove));
    return row;
  }

  /** The fields of a row, made when it is first unfolded: 300 boxes need not carry 600 selects. */
  function unfold(row, key) {
    const select = (name, entries, run) => {
      const made = element("select", { className: "form-select form-select-sm" }, ...options(entries));
      made.dataset.field = name;
      made.addEventListener("change", () => run(made.value));
      return made;
    };
    const number = (name) => {
      const made = element("input", { type: "number", step: "1", min: "0", className: "form-control form-control-sm" });
      made.dataset.field = name;
      made.inputMode = "numeric";
      made.addEventListener("change", () => {
        if (!store.get(key)) return; // typed on a frame that was left since
        const rect = Object.fromEntries(FIELDS.map((field) => [field, value(field)]));
        if (Object.values(rect).every(Number.isFinite)) edit.reshape(key, rect);
        fill(row, store.get(key));
      });
      return made;
    };
    const value = (field) => row.inputs[field].valueAsNumber / (field === "x" || field === "w" ? size.width : size.height);
    row.label = select("label", labels, (chosen) => edit.label(chosen, [key]));
    row.activity = select(
      "activity",
      [{ value: "", text: text("no_activity") }, ...activities],
      (chosen) => edit.activity(chosen, [key]),
    );
    row.inputs = Object.fromEntries(FIELDS.map((field) => [field, number(field)]));
    const field = (words, input) => element("label", { className: "field" }, element("span", { textContent: words }), input);
    row.activityField = field(text("activity"), row.activity);
    row.fields = element(
      "div",
      { className: "row-fields", id: `fields-${key}` },
      field(text("class"), row.label),
      row.activityField,
      ...FIELDS.map((name) => field(text(`field_${name}`), row.inputs[name])),
    );
    row.item.append(row.fields);
  }

  function fill(row, box) {
    row.item.dataset.label = box.label;
    row.item.classList.toggle("suggested", isSuggestion(box));
    row.words.textContent = words.line(box);
    row.accept.hidden = !isSuggestion(box);
    row.main.setAttribute("aria-label", words.describe(box));
    if (!row.fields) return;
    row.label.value = box.label;
    row.activity.value = box.activity ?? "";
    row.activityField.hidden = !edit.hasActivity(box);
    for (const field of FIELDS) {
      const scale = field === "x" || field === "w" ? size.width : size.height;
      row.inputs[field].value = Math.round(box[field] * scale * 10) / 10;
      row.inputs[field].max = scale;
    }
  }

  function render() {
    const boxes = store?.boxes ?? [];
    const keys = new Set(boxes.map((box) => box.key));
    for (const [key, row] of rows)
      if (!keys.has(key)) {
        row.item.remove();
        rows.delete(key);
      }
    const busy = list.contains(document.activeElement);
    let fresh = 0;
    for (const [index, box] of boxes.entries()) {
      if (!rows.has(box.key) && (fresh += 1) > AT_ONCE) {
        clearTimeout(later);
        later = setTimeout(render);
        return;
      }
      const row = rows.get(box.key) ?? take(box.key);
      if (row.box !== box) fill(row, box);
      row.box = box;
      row.number.textContent = String(index + 1);
      const there = list.children[index];
      // Moving the row that is being used would take the focus from it.
      if (there !== row.item && (!busy || !row.item.isConnected)) list.insertBefore(row.item, there ?? null);
    }
    for (const { item } of spare) item.remove();
    spare = [];
    list.classList.remove("stale");
    mark();
  }

  /** Selection: unfold the chosen row, fold the others. */
  function mark() {
    const selection = store?.selection ?? [];
    for (const [key, row] of rows) {
      const chosen = selection.includes(key);
      const open = chosen && selection.length === 1;
      row.item.classList.toggle("selected", chosen);
      row.main.setAttribute("aria-expanded", String(open));
      if (open && !row.fields) {
        unfold(row, key);
        fill(row, row.box);
      }
      if (row.fields) row.fields.hidden = !open;
    }
    const row = rows.get(selection[0]);
    if (row && !list.contains(document.activeElement)) bring(row.item);
  }

  /** Scroll the list alone: on a tablet the page would move away under the finger. */
  function bring(item) {
    const [inside, port] = [item.getBoundingClientRect(), list.getBoundingClientRect()];
    if (inside.bottom > port.bottom) list.scrollTop += inside.bottom - port.bottom;
    if (inside.top < port.top) list.scrollTop -= port.top - inside.top;
  }

  return {
    render,
    mark,
    show(nextStore, nextSize) {
      store = nextStore;
      size = nextSize;
      spare = [...spare, ...[...rows.values()].reverse()];
      rows.clear();
      list.classList.add("stale"); // what it says is of the last frame
      clearTimeout(later);
      // The picture is painted first: hundreds of rows must not hold it up.
      requestAnimationFrame(() => {
        clearTimeout(later);
        later = setTimeout(render);
      });
    },
    /** The node that a screen reader should be led to for a box of the picture. */
    nodeOf: (key) => document.getElementById(boxId(key)),
  };
}

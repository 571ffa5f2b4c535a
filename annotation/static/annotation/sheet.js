/**
 * The contact sheet: frames of the sitting side by side, to be confirmed together.
 *
 * Each tile holds the very picture that the frame view shows, at its full size, so that a lens under the pointer
 * (or a finger that stays) enlarges without the network. A tap or M marks a tile: it is left out when all are
 * confirmed. The tile at the cursor is the sitting's current frame, so that keys of a decision mean it.
 */

import { fitView, shownSize } from "./geometry.js";
import { nextOpen, pageOf, stepIn } from "./paging.js";
import { isSuggestion } from "./store.js";

const SVG = "http://www.w3.org/2000/svg";
/** Picture pixels between a box and its line. */
const OUTSET = 7;
/** How much larger than a pixel of the picture the lens shows it. */
const MAGNIFIED = 2;
/** A finger that stays so long looks closer; a shorter one marks. */
const STAYS_MS = 350;
const SLACK = 10;

const element = (tag, properties = {}, ...children) => {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
};

/**
 * @param {object} given
 * @param {HTMLElement} given.host listbox of tiles  @param {HTMLCanvasElement} given.lens
 * @param {ReturnType<typeof import("./sitting.js").createSitting>} given.sitting
 * @param {ReturnType<typeof import("./pictures.js").createPictures>} given.pictures
 */
export function createSheet({ host, lens, sitting, pictures, text, words }) {
  const wide = matchMedia("(width > 100rem)");
  const tiles = new Map();
  let page = [];
  let current = null;

  const size = () => (wide.matches ? 12 : 6);
  const isOpen = (visit) => visit.verdict === null;
  /** All of it is one mosaic: it says nothing of who is there. */
  const blind = ({ frame }) => frame.machine === "waiting" && frame.masked;

  // ── What was seen ─────────────────────────────────────────────────────────────────────────

  const watching = new IntersectionObserver(
    (entries) => {
      for (const { target, isIntersecting } of entries) {
        const tile = tiles.get(Number(target.dataset.frame));
        if (tile?.node !== target) continue;
        tile.inSight = isIntersecting;
        note(tile);
      }
    },
    { threshold: 0.9 },
  );

  function note(tile) {
    if (tile.inSight && tile.image && !blind(tile.visit)) tile.visit.seen = true;
    tile.node.toggleAttribute("data-seen", Boolean(tile.visit.seen));
  }

  // ── Tiles ─────────────────────────────────────────────────────────────────────────────────

  function create(visit) {
    const { frame } = visit;
    const shown = shownSize(frame.width, frame.height);
    const svg = document.createElementNS(SVG, "svg");
    svg.setAttribute("viewBox", `0 0 ${shown.width} ${shown.height}`);
    const picture = element("div", { className: "tile-picture" });
    picture.append(svg);
    const tile = {
      ...{ visit, picture, svg, size: shown, image: null, boxes: null, inSight: false },
      said: element("span", { className: "tile-said" }),
      count: element("span", { className: "tile-count" }),
      note: element("p", { className: "tile-note" }),
    };
    picture.append(tile.note);
    const time = element("span", { className: "tile-time", textContent: frame.time_label, title: frame.day_label });
    tile.node = element("div", { id: `tile-${frame.id}`, className: "tile" }, picture, element("div", { className: "tile-words" }, time, tile.count, tile.said));
    tile.node.setAttribute("role", "option");
    tile.node.dataset.testid = "tile";
    tile.node.dataset.frame = frame.id;
    tiles.set(frame.id, tile);
    watching.observe(tile.node);
    return tile;
  }

  function place(tile) {
    const entry = pictures.get(tile.visit.frame.image);
    tile.node.dataset.picture = entry.state;
    tile.note.hidden = entry.state === "ready";
    if (entry.state === "ready") {
      if (entry.image.parentNode !== tile.picture) tile.picture.prepend(entry.image);
      tile.image = entry.image;
      note(tile);
      return;
    }
    tile.note.textContent = text(entry.state === "failed" ? "picture_failed" : "picture_loading");
    if (entry.state === "loading")
      entry.ready.then(() => {
        if (tiles.get(tile.visit.frame.id) === tile && !host.closest("[hidden]")) {
          place(tile);
          name(tile);
        }
      });
  }

  function lines(tile) {
    const { boxes } = tile.visit.store;
    const key = boxes.map((box) => `${box.key}${box.label}${isSuggestion(box)}${box.x}${box.y}${box.w}${box.h}`).join();
    if (tile.boxes === key) return;
    tile.boxes = key;
    const { width, height } = tile.size;
    tile.svg.replaceChildren(
      ...boxes.map((box) => {
        const rect = document.createElementNS(SVG, "rect");
        const sides = {
          x: box.x * width - OUTSET,
          y: box.y * height - OUTSET,
          width: box.w * width + 2 * OUTSET,
          height: box.h * height + 2 * OUTSET,
        };
        for (const [side, value] of Object.entries(sides)) rect.setAttribute(side, value.toFixed(1));
        rect.dataset.label = box.label;
        rect.classList.toggle("suggested", isSuggestion(box));
        return rect;
      }),
    );
    tile.count.textContent = words.count(boxes);
  }

  function name(tile) {
    const { visit, node } = tile;
    const said = visit.verdict ? text(`verdict_${visit.verdict}`) : visit.marked ? text("marked") : "";
    tile.said.textContent = said;
    node.dataset.verdict = visit.verdict ?? "";
    node.setAttribute("aria-selected", String(visit.marked));
    const parts = [
      text("frame_shown", { time: visit.frame.time_label, boxes: words.count(visit.store.boxes) }),
      said,
      node.dataset.picture === "ready" ? "" : tile.note.textContent,
    ];
    node.setAttribute("aria-label", parts.filter(Boolean).join(", "));
  }

  function draw() {
    for (const [id, tile] of tiles)
      if (!page.includes(tile.visit)) {
        watching.unobserve(tile.node);
        tile.node.remove();
        tiles.delete(id);
      }
    for (const [at, visit] of page.entries()) {
      const tile = tiles.get(visit.frame.id) ?? create(visit);
      if (host.children[at] !== tile.node) host.insertBefore(tile.node, host.children[at] ?? null);
      place(tile);
      lines(tile);
      name(tile);
      tile.node.classList.toggle("current", visit === current);
    }
    if (current) host.setAttribute("aria-activedescendant", `tile-${current.frame.id}`);
  }

  function closer(on = !host.classList.contains("closer")) {
    hideLens();
    host.classList.toggle("closer", on);
  }

  function mark(visit) {
    if (!isOpen(visit)) return;
    visit.marked = !visit.marked;
    name(tiles.get(visit.frame.id));
  }

  // ── Pointers ──────────────────────────────────────────────────────────────────────────────

  const tileAt = (event) => {
    const node = event.target.closest(".tile");
    return node ? tiles.get(Number(node.dataset.frame)) : null;
  };

  /** The lens at a point of the page: what lies under it, larger. */
  function look(tile, { clientX, clientY }, above) {
    if (!tile.image || host.classList.contains("closer")) return hideLens();
    const bounds = tile.picture.getBoundingClientRect();
    const view = fitView(tile.size, bounds);
    const [x, y] = [(clientX - bounds.left - view.x) / view.scale, (clientY - bounds.top - view.y) / view.scale];
    if (x < 0 || y < 0 || x > tile.size.width || y > tile.size.height) return hideLens();
    lens.hidden = false;
    const side = lens.clientWidth;
    const sharp = Math.min(devicePixelRatio || 1, 2);
    lens.width = lens.height = side * sharp;
    const piece = side / MAGNIFIED;
    const natural = tile.image.naturalWidth / tile.size.width;
    const pen = lens.getContext("2d");
    pen.drawImage(
      tile.image,
      ...[x - piece / 2, y - piece / 2, piece, piece].map((value) => value * natural),
      ...[0, 0, lens.width, lens.height],
    );
    const left = Math.min(Math.max(clientX - side / 2, 0), innerWidth - side);
    const top = above ? Math.max(clientY - side - 40, 0) : Math.min(Math.max(clientY - side / 2, 0), innerHeight - side);
    lens.style.transform = `translate(${left}px, ${top}px)`;
    return null;
  }

  function hideLens() {
    lens.hidden = true;
  }

  let press = null; // {tile, x, y, timer, looked}

  function end() {
    clearTimeout(press?.timer);
    press = null;
    hideLens();
  }

  host.addEventListener("pointerdown", (event) => {
    const tile = tileAt(event);
    host.focus({ preventScroll: true });
    if (!tile || event.button !== 0) return;
    press = { tile, x: event.clientX, y: event.clientY, looked: false, timer: null };
    if (event.pointerType !== "touch") return;
    const { clientX, clientY } = event;
    press.timer = setTimeout(() => {
      press.looked = true;
      look(tile, { clientX, clientY }, true);
    }, STAYS_MS);
  });
  host.addEventListener("pointermove", (event) => {
    const touch = event.pointerType === "touch";
    if (press && Math.hypot(event.clientX - press.x, event.clientY - press.y) > SLACK) {
      clearTimeout(press.timer);
      if (!press.looked && touch) press.tile = null; // a finger that scrolls
    }
    const over = document.elementFromPoint(event.clientX, event.clientY)?.closest?.(".tile");
    const tile = over ? tiles.get(Number(over.dataset.frame)) : null;
    if (!tile) hideLens();
    else if (!touch || press?.looked) look(tile, event, touch);
  });
  host.addEventListener("pointerup", () => {
    const { tile, looked } = press ?? {};
    end();
    if (!tile || looked) return;
    sitting.show(tile.visit);
    mark(tile.visit);
  });
  host.addEventListener("pointercancel", end);
  host.addEventListener("pointerleave", hideLens);
  host.addEventListener("contextmenu", (event) => event.preventDefault());

  return {
    draw,
    closer,
    mark,

    /** The page that a frame lies on, with the cursor at it. */
    show(visit) {
      if (visit !== current) closer(false);
      current = visit;
      page = pageOf(page, sitting.visits, visit, size(), isOpen);
      draw();
      tiles.get(visit.frame.id).node.scrollIntoView({ block: "nearest" });
    },

    /** The cursor by an arrow key. */
    step(arrow) {
      const columns = getComputedStyle(host).gridTemplateColumns.split(" ").length;
      const at = page.indexOf(current);
      const next = stepIn(page.length, at, arrow, columns);
      if (next !== at) sitting.show(page[next]);
    },

    /** Where to go after a decision: an open frame of the page, marked ones last. */
    next: (visit) =>
      nextOpen(page, visit, (each) => isOpen(each) && !each.marked) ??
      nextOpen(page, visit, (each) => isOpen(each)),

    /** The open frames of the page: those that may be confirmed together, and those that may not. */
    open() {
      const open = page.filter(isOpen);
      const rest = open.filter((visit) => !visit.marked);
      return {
        seen: rest.filter((visit) => visit.seen),
        unseen: rest.filter((visit) => !visit.seen),
        marked: open.filter((visit) => visit.marked),
      };
    },

    /** Ask again for pictures that could not be loaded. */
    retry() {
      for (const tile of tiles.values())
        if (tile.node.dataset.picture === "failed") {
          pictures.retry(tile.visit.frame.image);
          place(tile);
          name(tile);
        }
    },
  };
}

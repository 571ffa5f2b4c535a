/**
 * The crop sheet: the machine's boxes of one class side by side, each kept, refused or given another class by a key.
 *
 * It changes the boxes of frames, as drafts, and states no review: that needs a look at the whole frame, on the
 * contact sheet or in the frame view. A crop is first cut from the picture in memory, and drawn again as sharp as
 * the original once that region has come; no key waits for it.
 */

import { addressOf, countsOf, cropsOf, isOpen, regionOf, saidOf } from "./cropping.js";
import { shownSize } from "./geometry.js";
import { nextOpen, pageOf, stepIn } from "./paging.js";

const PAGE = { wide: 18, narrow: 16 };
/** Pixels of a crop as drawn. */
const SIDE = 320;

const element = (tag, properties = {}, ...children) => {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
};

/**
 * @param {object} given
 * @param {HTMLElement} given.host listbox of crops  @param {HTMLElement} given.classes buttons of the classes
 * @param {HTMLElement} given.done shown when no crop is left  @param {HTMLElement} given.decide when there is one
 * @param {{label: Function, activity: Function, accept: Function, remove: Function}} given.edit
 * @param {ReturnType<typeof import("./pictures.js").createPictures>} given.regions pictures of regions
 */
export function createCrops({ host, classes, done, decide, select, labels, sitting, pictures, regions, edit, text, words, onEmpty }) {
  const narrow = matchMedia("(width <= 60rem)");
  const tiles = new Map();
  const past = []; // [{visit, depth}, …] for each step, so that undo goes from frame to frame
  let future = [];
  let crops = [];
  let page = [];
  let current = null;
  let label = null;
  let loading = Promise.resolve();

  const watching = new IntersectionObserver(
    (entries) => {
      for (const { target, isIntersecting } of entries) {
        const tile = tiles.get(target.dataset.key);
        if (tile?.node !== target) continue;
        tile.inSight ||= isIntersecting;
        note(tile);
      }
    },
    { threshold: 0.8 },
  );

  const note = (tile) => tile.node.toggleAttribute("data-seen", tile.inSight && Boolean(tile.drawn));

  // ── Drawing ───────────────────────────────────────────────────────────────────────────────

  function create(crop) {
    const tile = {
      crop,
      canvas: element("canvas", { width: SIDE, height: SIDE }),
      said: element("span", { className: "crop-said" }),
      words: element("span", { className: "crop-name" }),
      inSight: false,
      sharp: null,
      drawn: "",
    };
    tile.node = element("div", { id: `crop-${crop.key}`, className: "crop" }, tile.canvas, element("div", { className: "crop-words" }, tile.words, tile.said));
    tile.node.setAttribute("role", "option");
    tile.node.dataset.testid = "crop";
    tile.node.dataset.key = crop.key;
    tiles.set(crop.key, tile);
    watching.observe(tile.node);
    return tile;
  }

  /** The crop from the picture in memory, or from its region of the original once that is here. */
  function paint(tile) {
    const { crop, canvas, sharp } = tile;
    const { frame } = crop.visit;
    const region = regionOf(crop.box, frame);
    const entry = pictures.get(frame.image);
    const drawn = sharp ? "sharp" : entry.state === "ready" ? "soft" : "";
    if (tile.drawn === drawn) return;
    tile.drawn = drawn;
    tile.node.dataset.drawn = drawn;
    note(tile);
    const pen = canvas.getContext("2d");
    pen.clearRect(0, 0, SIDE, SIDE);
    const [across, down] = [region.w * frame.width, region.h * frame.height];
    const scale = SIDE / Math.max(across, down);
    const [width, height] = [across * scale, down * scale];
    const [left, top] = [(SIDE - width) / 2, (SIDE - height) / 2];
    if (sharp) pen.drawImage(sharp, left, top, width, height);
    else if (drawn) {
      const { image } = entry;
      const [w, h] = [image.naturalWidth, image.naturalHeight];
      pen.drawImage(image, region.x * w, region.y * h, region.w * w, region.h * h, left, top, width, height);
    }
    const place = (value, from, length) => ((value - from) / length);
    const rect = [
      left + place(crop.box.x, region.x, region.w) * width - 3,
      top + place(crop.box.y, region.y, region.h) * height - 3,
      (crop.box.w / region.w) * width + 6,
      (crop.box.h / region.h) * height + 6,
    ];
    for (const [style, line] of [["rgb(0 0 0 / 60%)", 5], [getComputedStyle(tile.node).getPropertyValue("--box") || "#fff", 2]]) {
      pen.strokeStyle = style;
      pen.lineWidth = line;
      pen.strokeRect(...rect);
    }
  }

  /** Ask for the region, one after the other; those of a page that was left are not asked for any more. */
  function sharpen(tile) {
    const { frame } = tile.crop.visit;
    const { width } = shownSize(frame.width, frame.height);
    if (tile.asked || frame.width <= width) return;
    tile.asked = true;
    loading = loading.then(async () => {
      if (tiles.get(tile.crop.key) !== tile) return;
      const entry = await regions.get(addressOf(frame.image, regionOf(tile.crop.box, frame))).ready;
      if (entry.state !== "ready") return;
      tile.sharp = entry.image;
      paint(tile);
    });
  }

  function name(tile) {
    const { crop, node } = tile;
    const said = saidOf(crop);
    const now = crop.visit.store.get(crop.key) ?? crop.box;
    node.dataset.said = said;
    node.dataset.label = now.label;
    tile.words.textContent = words.line(said === "refused" ? crop.box : now);
    tile.said.textContent = said === "open" ? "" : text(`crop_${said}`);
    const { frame } = crop.visit;
    const parts = [frame.time_label, words.describe(now), tile.said.textContent];
    node.setAttribute("aria-label", parts.filter(Boolean).join(", "));
    node.setAttribute("aria-selected", String(said !== "open"));
  }

  function draw() {
    for (const [key, tile] of tiles)
      if (!page.includes(tile.crop)) {
        watching.unobserve(tile.node);
        tile.node.remove();
        tiles.delete(key);
      }
    for (const [at, crop] of page.entries()) {
      const tile = tiles.get(crop.key) ?? create(crop);
      name(tile);
      if (host.children[at] !== tile.node) host.insertBefore(tile.node, host.children[at] ?? null);
      paint(tile);
      if (!tile.drawn) {
        const entry = pictures.get(crop.visit.frame.image);
        if (entry.state === "loading") entry.ready.then(() => tiles.get(crop.key) === tile && paint(tile));
      }
      sharpen(tile);
      tile.node.classList.toggle("current", crop === current);
    }
    if (current) host.setAttribute("aria-activedescendant", `crop-${current.key}`);
    else host.removeAttribute("aria-activedescendant");
    const counts = countsOf(crops, labels.map((entry) => entry.value));
    classes.replaceChildren(
      ...[...counts].map(([value, n]) => {
        const button = element("button", { type: "button", className: "chip" }, element("span", { className: "swatch", ariaHidden: "true" }), `${words.labelOf(value)} ${n}`);
        Object.assign(button.dataset, { label: value, command: "cropClass", value });
        button.setAttribute("aria-pressed", String(value === label));
        return button;
      }),
    );
    const empty = page.length === 0;
    if (host.hidden === empty) return;
    host.hidden = decide.hidden = empty;
    done.hidden = !empty;
    onEmpty();
  }

  /** The crops as they are now; the page goes on to what is left, of this class or the next. */
  function refresh(wanted = current) {
    crops = cropsOf(sitting.visits, page);
    const counts = countsOf(crops, labels.map((entry) => entry.value));
    if (!counts.has(label) && !(wanted && page.includes(wanted))) label = counts.keys().next().value ?? null;
    const mine = crops.filter((crop) => crop.box.label === label);
    current = wanted && mine.includes(wanted) ? wanted : null;
    page = pageOf(page, mine, current, narrow.matches ? PAGE.narrow : PAGE.wide, isOpen);
    current ??= page.find(isOpen) ?? page[0] ?? null;
  }

  function go(crop) {
    current = crop;
    if (crop && sitting.current !== crop.visit) sitting.show(crop.visit);
    else show();
  }

  /** Select the box at the cursor, so that the frame view opens at it. */
  function show() {
    if (current?.visit.store.get(current.key)) current.visit.store.select([current.key]);
    draw();
    if (!current) return;
    tiles.get(current.key).node.scrollIntoView({ block: "nearest" });
    select.value = (current.visit.store.get(current.key) ?? current.box).label;
  }

  // ── Judging ───────────────────────────────────────────────────────────────────────────────

  const depths = (visits) => visits.map((visit) => ({ visit, depth: visit.store.depth }));

  /** Do something to the crop at the cursor, and go on to the next open one. */
  function judge(change) {
    if (!current || current.visit.verdict !== null) return;
    const crop = current;
    const before = crop.visit.store.depth;
    if (!crop.visit.store.get(crop.key)) crop.visit.store.add([crop.box], "restore"); // refused before
    change(crop);
    const steps = crop.visit.store.depth - before;
    if (steps > 0) {
      past.push({ crop, visits: depths([crop.visit]), steps });
      future = [];
    }
    onward(crop);
  }

  function onward(crop) {
    const next = nextOpen(page, crop, isOpen);
    if (next) return go(next);
    refresh(null);
    return go(current);
  }

  return {
    /** Take in frames that came or were decided on elsewhere. */
    enter() {
      refresh();
      go(current);
    },
    more() {
      const before = current;
      refresh();
      if (current === before) draw();
      else go(current);
    },
    show,
    step(arrow) {
      const columns = getComputedStyle(host).gridTemplateColumns.split(" ").length;
      const next = stepIn(page.length, page.indexOf(current), arrow, columns);
      if (page[next]) go(page[next]);
    },
    closer(on = !host.classList.contains("closer")) {
      host.classList.toggle("closer", on);
      if (current) tiles.get(current.key)?.node.scrollIntoView({ block: "nearest" });
    },
    label: (value) => judge((crop) => edit.label(value, [crop.key])),
    activity: (value) => judge((crop) => edit.activity(value, [crop.key])),
    keep: () => judge((crop) => edit.accept([crop.key])),
    refuse: () => judge((crop) => edit.remove([crop.key])),

    /** All that are open on the page and were seen; then on to those that were not. @returns how many */
    keepAll() {
      const open = page.filter((crop) => isOpen(crop) && tiles.get(crop.key).node.dataset.seen !== undefined);
      const visits = [...new Set(open.map((crop) => crop.visit))];
      for (const visit of visits) {
        const keys = open.filter((crop) => crop.visit === visit).map((crop) => crop.key);
        visit.store.edit(keys, () => ({}), { name: "accept" });
      }
      if (open.length) {
        past.push({ crop: open[0], visits: depths(visits), steps: 1 });
        future = [];
        refresh(null);
        go(current);
      }
      return open.length;
    },

    chooseClass(value) {
      label = value;
      page = [];
      refresh(null);
      go(current);
    },
    nextClass(step) {
      const all = [...countsOf(crops, labels.map((entry) => entry.value)).keys()];
      if (all.length < 2) return;
      this.chooseClass(all[(all.indexOf(label) + step + all.length) % all.length]);
    },

    get canUndo() {
      return past.length > 0;
    },
    get canRedo() {
      return future.length > 0;
    },
    /** @returns whether something was taken back */
    undo: () => replay(past, future, "undo"),
    redo: () => replay(future, past, "redo"),

    /** A tap: the cursor; again at the same one: refused, or put back. */
    tap(key) {
      const { crop } = tiles.get(key) ?? {};
      if (!crop) return;
      if (crop !== current) return go(crop);
      if (saidOf(crop) === "refused") return judge((each) => edit.accept([each.key]));
      return this.refuse();
    },
  };

  function replay(from, to, verb) {
    const step = from.at(-1);
    if (!step) return false;
    from.pop();
    // What was changed in the frame view since is that view's to take back.
    const still = step.visits.filter(({ visit, depth }) => visit.verdict === null && visit.store.depth === depth);
    if (!still.length) return replay(from, to, verb);
    for (const { visit } of still) for (let time = 0; time < step.steps; time += 1) visit.store[verb]();
    to.push({ ...step, visits: depths(still.map(({ visit }) => visit)) });
    const crop = page.find((each) => each.key === step.crop.key) ?? step.crop;
    if (!page.includes(crop)) {
      label = crop.box.label;
      page = [];
    }
    refresh(crop);
    go(current);
    return true;
  }
}

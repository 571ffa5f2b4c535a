// Zones while they are drawn: what stands, what is chosen, and the way back. Knows no page.
//
// A zone is {kind, polygon: [[x, y], …]}, fractions of the picture. Every change can be undone;
// changes that carry the same `tag` in a row (one drag, one run of arrow keys) are undone as one.

const MOST_STEPS = 200;
const clamp = (value) => Math.min(1, Math.max(0, Math.round(value * 1e5) / 1e5));

export class Zones {
  constructor(zones, most) {
    this.zones = structuredClone(zones);
    this.most = most; // corners of one zone
    this.zone = -1; // the one chosen, or -1
    this.corner = -1; // the one chosen of its corners, or -1
    this.past = [];
    this.tag = null;
    this.kept = JSON.stringify(zones);
  }

  get chosen() {
    return this.zones[this.zone] ?? null;
  }

  get changed() {
    return JSON.stringify(this.zones) !== this.kept;
  }

  /** Number (from 1) of the first zone that is no polygon yet, or 0. */
  get unfinished() {
    return this.zones.findIndex((zone) => zone.polygon.length < 3) + 1;
  }

  choose(zone, corner = -1) {
    this.tag = null;
    this.zone = zone;
    this.corner = corner;
  }

  add(kind) {
    this.#remember();
    this.zones.push({ kind, polygon: [] });
    this.zone = this.zones.length - 1;
    this.corner = -1;
  }

  remove() {
    if (!this.chosen) return;
    this.#remember();
    this.zones.splice(this.zone, 1);
    this.zone = this.corner = -1;
  }

  setKind(kind) {
    if (!this.chosen || this.chosen.kind === kind) return;
    this.#remember();
    this.chosen.kind = kind;
  }

  /** A corner after the chosen one, else at the end; false where the zone has no room. */
  addCorner(x, y) {
    const polygon = this.chosen?.polygon;
    if (!polygon || polygon.length >= this.most) return false;
    this.#remember();
    this.corner = this.corner < 0 ? polygon.length : this.corner + 1;
    polygon.splice(this.corner, 0, [clamp(x), clamp(y)]);
    return true;
  }

  /** A corner without a pointer: half-way to the next one, or near the middle of the picture. */
  addCornerBetween() {
    const polygon = this.chosen?.polygon;
    if (!polygon) return false;
    if (polygon.length < 3) {
      const [x, y] = [[0.4, 0.4], [0.6, 0.4], [0.6, 0.6]][polygon.length];
      return this.addCorner(x, y);
    }
    const at = this.corner < 0 ? polygon.length - 1 : this.corner;
    const [a, b] = [polygon[at], polygon[(at + 1) % polygon.length]];
    this.corner = at;
    return this.addCorner((a[0] + b[0]) / 2, (a[1] + b[1]) / 2);
  }

  moveCorner(corner, x, y, tag = null) {
    if (!this.chosen?.polygon[corner] || !Number.isFinite(x) || !Number.isFinite(y)) return;
    this.#remember(tag);
    this.corner = corner;
    this.chosen.polygon[corner] = [clamp(x), clamp(y)];
  }

  removeCorner(corner) {
    const polygon = this.chosen?.polygon;
    if (!polygon?.[corner]) return;
    this.#remember();
    polygon.splice(corner, 1);
    this.corner = Math.min(corner, polygon.length - 1);
  }

  undo() {
    const before = this.past.pop();
    if (!before) return;
    this.tag = null;
    ({ zones: this.zones, zone: this.zone, corner: this.corner } = JSON.parse(before));
  }

  /** What stands is what the server has; `sent` is what it was given. */
  saved(sent) {
    this.kept = sent;
  }

  #remember(tag = null) {
    if (tag !== null && tag === this.tag) return;
    this.tag = tag;
    const { zones, zone, corner } = this;
    this.past.push(JSON.stringify({ zones, zone, corner }));
    if (this.past.length > MOST_STEPS) this.past.shift();
  }
}

// Lakes as points on a plain ground: no tiles, so nothing is asked of any other site.
// Leaflet (a global, from its own file) gets names, places and words from the server. The ranking
// beside the map is its list for the keyboard: what has the focus there is marked here.

const { words, lakes } = JSON.parse(document.getElementById("map").textContent);
const { L } = window;
const place = document.getElementById("lake-map");
const largest = Math.max(...lakes.map((lake) => lake.value ?? 0), 0.01);
const still = window.matchMedia("(prefers-reduced-motion: reduce)").matches;

const map = L.map(place, {
  attributionControl: false,
  zoomControl: false,
  scrollWheelZoom: false, // the page scrolls
  minZoom: 4,
  maxZoom: 14,
  zoomAnimation: !still,
  fadeAnimation: !still,
});
L.control.zoom({ zoomInTitle: words.zoomIn, zoomOutTitle: words.zoomOut }).addTo(map);
L.control.scale({ imperial: false }).addTo(map);

/** A name and its figure; text only, never taken for markup. */
function label(lake) {
  const box = document.createElement("span");
  const name = document.createElement("b");
  name.textContent = lake.name;
  box.append(name, ` ${lake.text}`);
  return box;
}

const points = new Map();
for (const lake of lakes) {
  const point = L.circleMarker(lake.at, {
    radius: 7 + 13 * Math.sqrt((lake.value ?? 0) / largest), // pixels; the area grows with the figure
    className: lake.value === null ? "lake-point" : lake.validated ? "lake-point is-sure" : "lake-point is-guess",
    bubblingMouseEvents: false,
  });
  point.bindTooltip(label(lake), { direction: "top" });
  point.on("click", () => window.location.assign(lake.url));
  point.addTo(map);
  points.set(String(lake.id), point);
}
map.fitBounds(L.latLngBounds(lakes.map((lake) => lake.at)), { padding: [48, 48], maxZoom: 13 });

for (const row of document.querySelectorAll("[data-lake]")) {
  const point = points.get(row.dataset.lake);
  if (!point) continue;
  const mark = (on) => {
    point.getElement()?.classList.toggle("is-marked", on);
    if (on) point.openTooltip();
    else point.closeTooltip();
  };
  row.addEventListener("focusin", () => mark(true));
  row.addEventListener("focusout", () => mark(false));
  row.addEventListener("mouseenter", () => mark(true));
  row.addEventListener("mouseleave", () => mark(false));
}

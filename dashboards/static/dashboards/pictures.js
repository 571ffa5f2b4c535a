// A table of shades as a picture: what the page shows, drawn anew as SVG with its own colours.

const NAMES = "http://www.w3.org/2000/svg";

function add(parent, name, attributes, text = "") {
  const element = document.createElementNS(NAMES, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.textContent = text;
  parent.append(element);
  return element;
}

/** The cells of `table` where the page has them, as an SVG element. */
function drawn(table) {
  const whole = table.getBoundingClientRect();
  const picture = document.createElementNS(NAMES, "svg");
  const [width, height] = [Math.ceil(whole.width), Math.ceil(whole.height)];
  for (const [key, value] of Object.entries({ width, height, viewBox: `0 0 ${width} ${height}` })) {
    picture.setAttribute(key, value);
  }
  for (const cell of table.querySelectorAll("th, td")) {
    const box = cell.getBoundingClientRect();
    const style = window.getComputedStyle(cell);
    const [x, y] = [box.x - whole.x, box.y - whole.y];
    const fill = style.backgroundColor;
    add(picture, "rect", { x, y, width: box.width, height: box.height, rx: 4, fill });
    const text = cell.textContent.trim();
    const middle = { x: x + box.width / 2, y: y + box.height / 2, fill: style.color };
    const font = { "font-family": "sans-serif", "font-size": 14, "text-anchor": "middle" };
    if (text) add(picture, "text", { ...middle, ...font, dy: "0.35em" }, text);
  }
  return picture;
}

for (const button of document.querySelectorAll("[data-save-table]")) {
  const table = document.querySelector(`[data-table="${button.dataset.saveTable}"]`);
  button.addEventListener("click", () => {
    const text = new XMLSerializer().serializeToString(drawn(table));
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type: "image/svg+xml" }));
    link.download = `attendance-${button.dataset.saveTable}.svg`;
    link.click();
    URL.revokeObjectURL(link.href);
  });
}

// Draws the charts that the server put into the page; knows neither words nor figures.
// Plotly (a global, from its own file) gets names, dates and number signs from the server.

const { locale, words, ...charts } = JSON.parse(document.getElementById("charts").textContent);
const { Plotly } = window;
// Given with each chart, never registered: what is registered as "en" is what Plotly falls back on.
const locales = { [locale]: { dictionary: {}, ...words } };
const { decimal, thousands } = words.format;

for (const place of document.querySelectorAll("[data-chart]")) {
  const { data, layout } = charts[place.dataset.chart];
  Plotly.newPlot(
    place,
    data,
    { ...layout, separators: decimal + thousands },
    { locale, locales, responsive: true, displayModeBar: false },
  );
}

for (const button of document.querySelectorAll("[data-save]")) {
  const chart = document.querySelector(`[data-chart="${button.dataset.save}"]`);
  button.addEventListener("click", () =>
    Plotly.downloadImage(chart, {
      format: button.dataset.format,
      filename: `attendance-${button.dataset.save}`,
      width: chart.clientWidth,
      height: chart.clientHeight,
      scale: button.dataset.format === "png" ? 2 : 1,
    }),
  );
}

// On paper a chart is as wide as the sheet, not as the screen was.
const SHEET = 620; // pixels of an A4 page between the edges of a panel
for (const button of document.querySelectorAll("[data-print]")) {
  button.addEventListener("click", () => window.print());
}
const charted = () => document.querySelectorAll("[data-chart]");
window.addEventListener("beforeprint", () => {
  for (const place of charted()) Plotly.relayout(place, { width: SHEET, autosize: false });
});
window.addEventListener("afterprint", () => {
  for (const place of charted()) Plotly.relayout(place, { width: null, autosize: true });
});

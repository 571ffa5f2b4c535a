/** The button that prints; it may come into the page later. */
document.addEventListener("click", ({ target }) => {
  if (target.closest("[data-print]")) window.print();
});

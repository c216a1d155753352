/** A sheet that slides over the page on a phone, as the requests to speak do. */

/** `part(name)` finds the buttons "sheet" and "sheet-close" inside `element`. */
export function connectSheet(element, part) {
  const show = (open) => {
    element.classList.toggle("sheet-open", open);
    part("sheet").setAttribute("aria-expanded", String(open));
    part(open ? "sheet-close" : "sheet").focus();
  };
  part("sheet").addEventListener("click", () => show(true));
  part("sheet-close").addEventListener("click", () => show(false));
  element.addEventListener("keydown", ({ key }) => {
    if (key === "Escape" && element.classList.contains("sheet-open")) show(false);
  });
}

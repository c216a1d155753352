/** Focus stays in the page: if a redraw takes the focused element away, its neighbour or the title has the focus. */
const STOPS = "a[href], button, input, select, textarea";
let last = null;  // {element, beside}: what was focused last, and what is beside it; null after a click on the page

document.addEventListener("focusin", ({ target }) => { last = { element: target, beside: beside(target) }; });
document.addEventListener("pointerdown", ({ target }) => { if (!target.closest(STOPS)) last = null; });

/** The next entries of its list, then the ones before it. In the bar of a Space: the controls of the bar. */
function beside(element) {
  const entry = element.closest("li");
  if (!entry) return [...element.closest("[data-part=bar]")?.querySelectorAll(STOPS) ?? []];
  const entries = [...entry.parentElement.children];
  const at = entries.indexOf(entry);
  const order = [...entries.slice(at + 1), ...entries.slice(0, at).reverse()];
  return order.map((one) => one.querySelector(STOPS)).filter(Boolean);
}

const takesFocus = (element) => element.isConnected && !element.disabled && element.getClientRects().length > 0;

/** Call it after a redraw. Open popovers and dialogues return the focus themselves. */
export function keepFocus() {
  if (!last || takesFocus(last.element) || document.querySelector("dialog[open], :popover-open")) return;
  (last.beside.find(takesFocus) ?? pageTitle()).focus({ preventScroll: true });
}

/** The title of the page, or <main> without one. */
export function pageTitle() {
  const main = document.getElementById("main");
  const title = main.querySelector("h1");
  if (title && !title.hasAttribute("tabindex")) title.tabIndex = -1;
  return title ?? main;
}

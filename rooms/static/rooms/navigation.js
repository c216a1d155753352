/** Boosted navigation: only <main> is swapped; focus and title follow, floating things close. */
import { closeAll } from "rooms/popover.js";

/** after() is called once the new <main> is in the page. */
export function connectNavigation(after) {
  document.body.addEventListener("htmx:afterSettle", ({ detail }) => {
    if (!detail.target?.isConnected && document.getElementById("main") === null) return;
    after();
    if (detail.elt?.id === "main" || detail.target?.id === "main") focusPage();
  });
  document.body.addEventListener("htmx:historyRestore", () => { after(); focusPage(); });
  document.body.addEventListener("htmx:beforeRequest", ({ detail }) => {
    if (detail.boosted || detail.target?.id === "main") closeAll();
  });
}

/** The first mistake of a form, or else the title of the page. */
function focusPage() {
  const main = document.getElementById("main");
  const wrong = main.querySelector('[aria-invalid="true"]');
  const title = main.querySelector("h1");
  if (title && !title.hasAttribute("tabindex")) title.tabIndex = -1;
  (wrong ?? title ?? main).focus({ preventScroll: !wrong });
}

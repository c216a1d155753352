/** Toasts: short messages above the bar about what happened or failed. Their live region reads them out. */
import { el, icon } from "frame/dom.js";

const SHOWN_FOR = 8000;

/** kind: "info" or "error". Errors stay until they are closed. */
export function say(text, kind = "info") {
  const region = document.getElementById("toasts");
  const close = el("button", { type: "button", class: "button button-quiet button-icon", "aria-label": gettext("Close"),
    onclick: () => toast.remove() }, icon("cross"));
  const toast = el("div", { class: `toast toast-${kind}` }, el("p", {}, text), close);
  region.append(toast);
  while (region.children.length > 3) region.firstElementChild.remove();
  if (kind !== "error") setTimeout(() => toast.remove(), SHOWN_FOR);
}

/** Waits for a command and shows its refusal. A promise of true if it was carried out. */
export async function attempt(promise) {
  try {
    await promise;
    return true;
  } catch (error) {
    say(error.message, "error");
    return false;
  }
}

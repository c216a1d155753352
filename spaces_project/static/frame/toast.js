/** Short words about what just happened or failed, above the bar; read out by the region they are in. */
import { el, icon } from "frame/dom.js";

const SHOWN_FOR = 8000;

/** kind: "info" or "error". Errors stay until they are closed. */
export function say(text, kind = "info") {
  const region = document.getElementById("toasts");
  const toast = el("div", { class: `toast toast-${kind}` }, el("p", {}, text),
    el("button", { type: "button", class: "button button-quiet button-icon", "aria-label": gettext("Close"),
      onclick: () => toast.remove() }, icon("cross")));
  region.append(toast);
  while (region.children.length > 3) region.firstElementChild.remove();
  if (kind !== "error") setTimeout(() => toast.remove(), SHOWN_FOR);
}

/** Carry out a promise of a command; a refusal is said. True where it went well. */
export async function attempt(promise) {
  try {
    await promise;
    return true;
  } catch (error) {
    say(error.message, "error");
    return false;
  }
}

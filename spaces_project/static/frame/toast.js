/** Toasts: short messages above the bar about what happened or failed. Their live region reads them out. Requests to
 *  the server as this member, whose failures are shown as toasts. */
import { el, icon } from "frame/dom.js";

const SHOWN_FOR = 8000;
// What the API and the page templates/403_csrf.html say. Log-in and log-out change the token of all tabs.
const STALE = /CSRF Failed|data-stale-token/;

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

/** A promise of the answer to a question; null if it was refused or there is no network. */
export async function ask(url) {
  const answer = await request("GET", url);
  return answer?.ok ? answer : null;
}

/** As ask(), for a request that changes something. A failure is shown. */
export async function change(method, url) {
  const answer = await request(method, url);
  if (answer?.ok) return answer;
  sayFailure(answer?.status, await answer?.text());
  return null;
}

/** Shows why a request failed. Without status and text there was no answer. */
export function sayFailure(status, text = "") {
  if (status === 429 && text && !text.startsWith("<")) return say(text, "error");  // spaces_project/web/doors.py
  return say(status === 403 && STALE.test(text)
    ? gettext("You logged in or out in another tab. Reload this page, then try again.")
    : gettext("That did not work. Check your connection and try again."), "error");
}

async function request(method, url) {
  try {
    return await fetch(url, { method, headers: JSON.parse(document.body.getAttribute("hx-headers")) });
  } catch {
    return null;
  }
}

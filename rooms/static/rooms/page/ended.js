/** A Space that is over. The server has a page for it: who spoke, how long, what happens with the sound. */
import { keepFocus } from "frame/focus.js";

async function fetched() {
  try {
    const response = await fetch(location.pathname);
    return { status: response.status, html: await response.text() };
  } catch {
    return { status: 0, html: "" };
  }
}

function swap(html) {
  htmx.swap("#main", html, { swapStyle: "outerHTML" }, { select: "#main", afterSettleCallback: keepFocus });
}

/** Shows that page to people who were in the Space. If the server has none for them, the page stays as it is. */
export async function showEnd(element) {
  const { status, html } = await fetched();
  if (status === 200 && element.isConnected) swap(html);
}

/** Before entering: shows that the Space is over. Looks at every `fleet` event, while idle() is true. */
export function watchPreview(element, idle) {
  const look = async () => {
    if (!idle()) return;
    const { status, html } = await fetched();
    const over = status === 404 || (status === 200 && !html.includes('data-view="space"'));
    if (over && idle() && element.isConnected) swap(html);
  };
  document.body.addEventListener("fleet", look);
  return () => document.body.removeEventListener("fleet", look);
}

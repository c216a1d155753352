/** A Space that is over: the server has a page of its own for it (who spoke, how long, what happens with the sound). */

async function fetched() {
  try {
    const response = await fetch(location.pathname);
    return { status: response.status, html: await response.text() };
  } catch {
    return { status: 0, html: "" };
  }
}

const swap = (html) => htmx.swap("#main", html, { swapStyle: "outerHTML" }, { select: "#main" });

/** After the end, for whoever was in it; what stands there stays where the server has nothing more to say. */
export async function showEnd(element) {
  const { status, html } = await fetched();
  if (status === 200 && element.isConnected) swap(html);
}

/** Before entering: says so when there is nothing to enter any more. For every `fleet` event, while idle() holds. */
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

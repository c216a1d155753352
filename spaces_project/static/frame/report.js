/** The report dialogue. The server sends its form as a fragment. */
import { el } from "frame/dom.js";
import { facts } from "frame/facts.js";

const dialog = document.getElementById("report");

/** Reports a person in a Space, or the Space itself if `participant` is empty. */
export async function report(space, participant = "") {
  const query = new URLSearchParams({ space, participant });
  const body = dialog.querySelector("[data-report]");
  body.replaceChildren(el("p", { class: "muted" }, gettext("Loading…")));
  dialog.showModal();
  const into = { source: body, target: body, swap: "innerHTML", select: "unset" };
  await htmx.ajax("GET", `${facts.reportUrl}?${query}`, into);
  if (!body.querySelector("form")) dialog.close();  // refused; navigation.js has shown why
  body.querySelector("[autofocus], input, button")?.focus();
}

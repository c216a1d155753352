/** The report dialogue: the form is a fragment of the server, loaded into a <dialog>. */
import { el } from "frame/dom.js";
import { facts } from "frame/facts.js";

const dialog = document.getElementById("report");

/** Report a person of a Space, or (participant "") the Space itself. */
export async function report(space, participant = "") {
  const query = new URLSearchParams({ space, participant });
  const body = dialog.querySelector("[data-report]");
  body.replaceChildren(el("p", { class: "muted" }, gettext("Loading…")));
  dialog.showModal();
  await htmx.ajax("GET", `${facts.reportUrl}?${query}`, { source: body, target: body, swap: "innerHTML", select: "unset" });
  if (!body.querySelector("form")) dialog.close();  // refused; navigation.js has said so
  body.querySelector("[autofocus], input, button")?.focus();
}

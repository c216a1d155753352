/** The requests to speak, in their order, with everyone's place. Who may decide has a tick and a cross on each. */
import { el, face, icon, keyed } from "frame/dom.js";
import { may } from "frame/facts.js";
import { myRole } from "rooms/wire/state.js";
import { attempt } from "frame/toast.js";

export function drawQueue(list, room, open) {
  const decides = may(myRole(room.state), "admit");
  keyed(list, room.state.requests, (request) => `${request.request} ${decides}`,
    (request) => make(request, room, decides, open), () => {});
}

function make(request, room, decides, open) {
  const { person, text } = request;
  const words = el("span", { class: "row-text" }, el("b", {}, person.name), text && el("span", { class: "muted small" }, text));
  const who = el("button", { type: "button", class: "person-row", "aria-haspopup": "dialog",
    onclick: ({ currentTarget }) => open(currentTarget, person) }, face(person, "s"), words);
  return el("li", { class: "row queued", "data-handle": person.handle }, who,
    ...(decides ? [admit(request, room), decline(request, room)] : []));
}

function admit({ request, person }, room) {
  const label = interpolate(gettext("Let %s speak"), [person.name]);
  return button("check", label, "admit", () => room.send("admit", { request }));
}

function decline({ request, person }, room) {
  const label = interpolate(gettext("Decline the request of %s"), [person.name]);
  return button("cross", label, "decline", () => room.send("decline", { request }));
}

/** Disabled once the decision is on its way, so that a second click does not decide about somebody else. */
function button(name, label, testid, decide) {
  return el("button", { type: "button", class: `button button-icon ${testid}`, "aria-label": label, title: label,
    "data-testid": testid, onclick: async ({ currentTarget }) => {
      currentTarget.disabled = true;
      if (!await attempt(decide())) currentTarget.disabled = false;  // where it went well, the event takes the row away
    } }, icon(name));
}

/** The requests to speak, in order, with everyone's place. People who may decide have a tick and a cross on each. */
import { el, face, icon, keyed } from "frame/dom.js";
import { may } from "frame/facts.js";
import { attempt } from "frame/toast.js";
import { myRole } from "rooms/wire/state.js";

export function drawRequests(list, room, open) {
  const decides = may(myRole(room.state), "admit");
  keyed(list, room.state.requests, (request) => `${request.request} ${decides}`,
    (request) => make(request, room, decides, open), () => {});
}

function make({ request, person, text }, room, decides, open) {
  const words = el("span", { class: "row-text" },
    el("b", { dir: "auto" }, person.name), text && el("span", { class: "muted small", dir: "auto" }, text));
  const onclick = ({ currentTarget }) => open(currentTarget, person);
  const attributes = { type: "button", class: "person-row", "aria-haspopup": "dialog", onclick };
  return el("li", { class: "row request", "data-handle": person.handle },
    el("button", attributes, face(person, "s"), words),
    ...(decides ? [admit(request, person, room), decline(request, person, room)] : []));
}

function admit(request, person, room) {
  const label = interpolate(gettext("Let %s speak"), [person.name]);
  return button("check", label, "admit", () => room.send("admit", { request }));
}

function decline(request, person, room) {
  const label = interpolate(gettext("Decline the request from %s"), [person.name]);
  return button("cross", label, "decline", () => room.send("decline", { request }));
}

/** Disabled while the decision is on its way, so that a second click does not decide about someone else. The event of
 *  the decision takes the row away. */
function button(drawing, label, testid, decide) {
  const onclick = async ({ currentTarget }) => {
    currentTarget.disabled = true;
    if (!await attempt(decide())) currentTarget.disabled = false;
  };
  return el("button", { type: "button", class: `button button-icon ${testid}`, "aria-label": label, title: label,
    "data-testid": testid, onclick }, icon(drawing));
}

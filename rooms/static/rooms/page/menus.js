/** The menu of a face: everything that one may do to that person. Dangerous things come last and are confirmed. */
import { confirmed } from "frame/confirm.js";
import { el, face, icon } from "frame/dom.js";
import { facts, may, personUrl } from "frame/facts.js";
import { followItem } from "frame/follow.js";
import { toggle } from "frame/popover.js";
import { report } from "frame/report.js";
import { attempt, change, say } from "frame/toast.js";
import { myRole, requestOf } from "rooms/wire/state.js";

const menu = document.getElementById("person-menu");
const named = (text, person) => interpolate(text, [person.name]);

/** Opens the menu of `person` beside the button of their face. */
export function openMenu(button, person, room) {
  const me = person.participant === room.state.you.participant;
  const items = (entries) => entries.filter(Boolean).map(item);
  const follow = me ? null : followItem(person, () => menu.hidePopover());
  menu.setAttribute("aria-label", person.name);
  menu.replaceChildren(head(person),
    el("ul", { class: "menu-list" }, ...items(steps(person, room)), follow, ...items(dangers(person, room))));
  htmx.process(menu);  // so that the link to the profile swaps <main> only, like every other
  toggle(menu, button);
}

function head(person) {
  const handle = el("span", { class: "muted small" }, `@${person.handle}`);
  return el("div", { class: "menu-head" }, face(person, "s"),
    el("span", { class: "row-text" }, el("b", { dir: "auto" }, person.name), handle));
}

function item({ label, drawing, href, act, danger, testid }) {
  if (href) return el("li", {}, el("a", { href }, icon(drawing), label));
  const onclick = () => { menu.hidePopover(); act(); };
  const attributes = { type: "button", class: danger ? "danger" : "", "data-testid": testid, onclick };
  return el("li", {}, el("button", attributes, icon(drawing), label));
}

/** What every entry asks: whose face it is, what I may do, and how it is done. */
function means(person, room) {
  const [role, me] = [myRole(room.state), person.participant === room.state.you.participant];
  const on = (action) => !me && may(role, action, person.role);
  const send = (type, fields = { participant: person.participant }) => () => attempt(room.send(type, fields));
  return { role, me, on, send };
}

function steps(person, room) {
  const { role, me, on, send } = means(person, room);
  const request = requestOf(room.state, person.participant)?.request;
  return [
    request && on("admit") && {
      label: named(gettext("Let %s speak"), person), drawing: "mic", testid: "menu-admit",
      act: send("admit", { request }),
    },
    request && on("decline") && {
      label: gettext("Decline the request"), drawing: "cross", testid: "menu-decline",
      act: send("decline", { request }),
    },
    on("mute") && person.mute !== "host" && {
      label: named(gettext("Mute %s"), person), drawing: "mic-off", act: send("mute"), testid: "menu-mute",
    },
    on("unmute") && person.mute === "host" && {
      label: named(gettext("Let %s speak again"), person), drawing: "mic", testid: "menu-unmute",
      act: send("unmute"),
    },
    on("move_to_audience") && {
      label: gettext("Move to the audience"), drawing: "sit", act: send("move_to_audience"), testid: "menu-move",
    },
    me && may(role, "step_down") && {
      label: gettext("Leave the stage"), drawing: "sit", act: send("step_down", {}), testid: "menu-step-down",
    },
    { label: gettext("View profile"), drawing: "person", href: personUrl(person.handle) },
  ];
}

function dangers(person, room) {
  const { me, on, send } = means(person, room);
  const sure = (words, act) => async () => await confirmed(words) && act();
  const blocks = on("block") ? sure(removingAndBlocking(person), send("block"))
    : sure(blocking(person), () => block(person));
  const danger = true;
  return [
    on("report") && {
      danger, label: gettext("Report…"), drawing: "flag", testid: "menu-report",
      act: () => report(room.space, person.participant),
    },
    on("remove") && {
      danger, label: gettext("Remove from this Space…"), drawing: "remove", testid: "menu-remove",
      act: sure(removing(person), send("remove")),
    },
    !me && { danger, label: gettext("Block…"), drawing: "block", testid: "menu-block", act: blocks },
  ];
}

const removing = (person) => ({
  title: named(gettext("Remove %s?"), person), action: gettext("Remove"),
  text: named(gettext("Remove %s from this Space. They cannot come back."), person),
});
const removingAndBlocking = (person) => ({
  title: named(gettext("Block %s?"), person), action: gettext("Block"),
  text: named(gettext("Remove %s from this Space and keep them out of all your Spaces. You stop following each other. "
    + "They are not told that you blocked them."), person),
});
const blocking = (person) => ({
  title: named(gettext("Block %s?"), person), action: gettext("Block"),
  text: named(gettext("You and %s stop following each other and cannot enter each other's Spaces. If this Space is "
    + "theirs, you leave it. They are not notified."), person),
});

async function block(person) {
  const done = await change("POST", facts.blockUrl.replace("HANDLE", person.handle));
  if (done) say(named(gettext("You have blocked %s."), person));
}

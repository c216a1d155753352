/** The menu of a face: everything that may be done to that person, the dangerous last and confirmed. */
import { confirmed } from "frame/confirm.js";
import { el, face, icon } from "frame/dom.js";
import { ask, facts, may, personUrl } from "frame/facts.js";
import { followItem } from "frame/follow.js";
import { toggle } from "frame/popover.js";
import { report } from "frame/report.js";
import { myRole, requestOf } from "rooms/wire/state.js";
import { attempt, say } from "frame/toast.js";

const menu = document.getElementById("person-menu");
const named = (text, person) => interpolate(text, [person.name]);

/** Opens the menu of `person` beside the button of their face. */
export function openMenu(button, person, room) {
  const me = person.participant === room.state.you.participant;
  const items = (entries) => entries.filter((entry) => entry.shown).map(item);
  menu.setAttribute("aria-label", person.name);
  menu.replaceChildren(head(person), el("ul", { class: "menu-list" }, ...items(steps(person, room)),
    me ? null : followItem(person, () => menu.hidePopover()), ...items(dangers(person, room))));
  htmx.process(menu);  // the link to the profile swaps <main> only, like every other
  toggle(menu, button);
}

function head(person) {
  return el("div", { class: "menu-head" }, face(person, "s"),
    el("span", { class: "row-text" }, el("b", {}, person.name), el("span", { class: "muted small" }, `@${person.handle}`)));
}

function item({ label, drawing, href, act, danger, testid }) {
  if (href) return el("li", {}, el("a", { href }, icon(drawing), label));
  const run = () => { menu.hidePopover(); act(); };
  return el("li", {}, el("button", { type: "button", class: danger ? "danger" : "", "data-testid": testid, onclick: run }, icon(drawing), label));
}

function steps(person, room) {
  const [role, me] = [myRole(room.state), person.participant === room.state.you.participant];
  const on = (action) => !me && may(role, action, person.role);
  const request = requestOf(room.state, person.participant)?.request;
  const send = (type, fields = { participant: person.participant }) => () => attempt(room.send(type, fields));
  return [
    { shown: request && on("admit"), label: named(gettext("Let %s speak"), person), drawing: "mic", act: send("admit", { request }), testid: "menu-admit" },
    { shown: request && on("decline"), label: gettext("Decline the request"), drawing: "cross", act: send("decline", { request }), testid: "menu-decline" },
    { shown: on("mute") && person.mute !== "host", label: named(gettext("Mute %s"), person), drawing: "mic-off", act: send("mute"), testid: "menu-mute" },
    { shown: on("unmute") && person.mute === "host", label: named(gettext("Let %s unmute"), person), drawing: "mic", act: send("unmute"), testid: "menu-unmute" },
    { shown: on("move_to_audience"), label: gettext("Move to the audience"), drawing: "sit", act: send("move_to_audience"), testid: "menu-move" },
    { shown: me && may(role, "step_down"), label: gettext("Give the microphone back"), drawing: "sit", act: send("step_down", {}), testid: "menu-step-down" },
    { shown: true, label: gettext("View profile"), drawing: "person", href: personUrl(person.handle) },
  ];
}

function dangers(person, room) {
  const [role, me] = [myRole(room.state), person.participant === room.state.you.participant];
  const on = (action) => !me && may(role, action, person.role);
  const sure = (words, act) => async () => await confirmed(words) && act();
  const send = (type) => () => attempt(room.send(type, { participant: person.participant }));
  return [
    { shown: on("report"), danger: true, label: gettext("Report…"), drawing: "flag", act: () => report(room.space, person.participant), testid: "menu-report" },
    { shown: on("remove"), danger: true, label: gettext("Remove from this Space…"), drawing: "remove", testid: "menu-remove",
      act: sure(removing(person), send("remove")) },
    { shown: !me, danger: true, label: gettext("Block…"), drawing: "block", testid: "menu-block",
      act: on("block") ? sure(removingAndBlocking(person), send("block")) : sure(blocking(person), () => block(person)) },
  ];
}

const removing = (person) => ({
  title: named(gettext("Remove %s?"), person), action: gettext("Remove"),
  text: named(gettext("Remove %s from this Space. They cannot come back."), person),
});
const removingAndBlocking = (person) => ({
  title: named(gettext("Block %s?"), person), action: gettext("Block"),
  text: named(gettext("Remove %s from this Space and keep them out of all your Spaces. You stop following each other. They are not told that you blocked them."), person),
});
const blocking = (person) => ({
  title: named(gettext("Block %s?"), person), action: gettext("Block"),
  text: named(gettext("You and %s stop following each other and cannot enter each other's Spaces. If this Space is theirs, you leave it. They are not told."), person),
});

async function block(person) {
  const done = await ask("POST", facts.blockUrl.replace("HANDLE", person.handle));
  if (done) say(named(gettext("You have blocked %s."), person));
  else say(gettext("That did not work. Check your connection and try again."), "error");
}

/** The listeners: the first hundred faces, then a number. */
import { count, el, face, keyed, write } from "frame/dom.js";
import { facts } from "frame/facts.js";

/** Draws the listeners into `list`, and how many more there are into `more`. A click calls open(button, person). */
export function drawAudience(list, more, room, open) {
  const { faces, listeners, requests, stale, you } = room.state;
  const asking = new Set(requests.map((request) => request.person.participant));
  const mine = (person) => person.participant === you?.participant;
  const shown = [...faces].sort((one, other) => mine(other) - mine(one)).slice(0, facts.faces);
  keyed(list, shown, (person) => person.participant, make, (item, person) => {
    const button = item.firstElementChild;
    button.onclick = () => open(button, person);
    const words = [mine(person) && gettext("you"), asking.has(person.participant) && gettext("asks to speak")];
    write(button.querySelector(".person-word"), words.filter(Boolean).join(" · "));
  });
  const beyond = Math.max(0, listeners - shown.length);
  more.hidden = beyond === 0;
  const words = [interpolate(ngettext("+%s more", "+%s more", beyond), [count(beyond)]),
    stale && gettext("With this many listeners the faces are not kept up to date, but the number is.")];
  write(more, beyond ? words.filter(Boolean).join(". ") : "");
}

function make(person) {
  const attributes = { type: "button", class: "person", "data-handle": person.handle,
    "data-testid": "listener", "aria-haspopup": "dialog" };
  return el("li", {}, el("button", attributes, face(person, "s"),
    el("span", { class: "person-name", dir: "auto" }, person.name), el("span", { class: "person-word muted" })));
}

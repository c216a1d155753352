/** The stage: large faces with a ring that follows the level, and role and microphone in words. */
import { el, face, icon, keyed, write } from "frame/dom.js";

const BY_ROLE = { host: () => gettext("Host"), speaker: () => gettext("Speaker") };
const BY_MUTE = { open: null, self: () => gettext("muted"), host: () => gettext("muted by the host") };

/** Draws the people on the stage into `list`. A click on one calls open(button, person). */
export function drawStage(list, room, open) {
  const people = [...room.state.stage].sort((one, other) => (other.role === "host") - (one.role === "host"));
  keyed(list, people, (person) => person.participant, (person) => make(person), (item, person) => {
    const button = item.firstElementChild;
    button.onclick = () => open(button, person);
    button.classList.toggle("away", person.away);
    button.dataset.mute = person.mute;
    button.dataset.role = person.role;
    const words = [BY_ROLE[person.role]?.(), person.away ? absence(person, room.state) : BY_MUTE[person.mute]?.()];
    write(button.querySelector(".person-word"), words.filter(Boolean).join(" · "));
    mark(button.querySelector(".person-mark"), person.mute);
  });
  drawLevels(list, room.state);
}

const absence = (person, { space }) =>
  person.role === "host" && !space.host_came ? gettext("not here yet") : gettext("connection lost");

/** Only what changes five times a second. */
export function drawLevels(list, state) {
  for (const item of list.children) {
    const level = state.levels[item.dataset.key] ?? 0;
    const button = item.firstElementChild;
    button.querySelector(".face").style.setProperty("--level", (level / 100).toFixed(2));
    button.classList.toggle("speaking", level > 0);
    write(button.querySelector(".person-speaking"), level > 0 ? gettext("speaking") : "");
  }
}

function make(person) {
  const attributes = { type: "button", class: "person person-stage", "data-handle": person.handle,
    "data-testid": "stage-person", "aria-haspopup": "dialog" };
  return el("li", {}, el("button", attributes,
    el("span", { class: "person-face" }, face(person, "l"), el("span", { class: "person-mark" })),
    el("b", { class: "person-name", dir: "auto" }, person.name),
    el("span", { class: "person-word muted" }),
    el("span", { class: "person-speaking visually-hidden" })));
}

function mark(element, mute) {
  if (element.dataset.mute === mute) return;
  element.dataset.mute = mute;
  element.replaceChildren(icon(mute === "open" ? "mic" : "mic-off"));
}

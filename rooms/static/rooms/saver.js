/** The switch "Data saver" in the menu of a Space. */
import { write } from "rooms/dom.js";
import { facts } from "rooms/facts.js";

export function drawSaver(room) {
  const button = document.querySelector("[data-do=saver]");
  if (!button) return;
  button.closest("li").hidden = !facts.hls;
  button.setAttribute("aria-pressed", String(room.listening.saver));
  write(button.querySelector("[data-part=saver-word]"), room.listening.saver ? gettext("on") : gettext("off"));
}

export const toggleSaver = ({ listening }) => { listening.saver = !listening.saver; };

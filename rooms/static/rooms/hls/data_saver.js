/** The switch "Data saver" in the menu of a Space. */
import { write } from "frame/dom.js";
import { facts } from "frame/facts.js";
import { say } from "frame/toast.js";

export function drawDataSaver(room) {
  const button = document.querySelector("[data-do=saver]");
  if (!button) return;
  button.closest("li").hidden = !facts.hls;
  button.setAttribute("aria-pressed", String(room.listening.saver));
  write(button.querySelector("[data-part=saver-word]"), room.listening.saver ? gettext("on") : gettext("off"));
}

export function toggleDataSaver({ listening }) {
  listening.saver = !listening.saver;
  say(listening.saver
    ? gettext("Data saver is on. You hear Spaces a few seconds late, except on stage.")
    : gettext("Data saver is off. You hear Spaces without delay."));
}

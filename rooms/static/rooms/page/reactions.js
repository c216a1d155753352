/** Reactions: the picker, and the emoji that rise from the lower right. */
import { count, el } from "frame/dom.js";
import { facts } from "frame/facts.js";
import { attempt } from "frame/toast.js";

const AT_ONCE = 20;
const SPREAD = 350;   // ms over which the emoji of one frame appear: about the time until the next frame
const STAYS = 3000;   // ms, for still text

const NAMES = {
  "❤️": () => gettext("heart"),
  "👏": () => gettext("applause"),
  "😂": () => gettext("laughing"),
  "😮": () => gettext("surprised"),
  "😢": () => gettext("sad"),
  "🔥": () => gettext("fire"),
  "💯": () => gettext("one hundred"),
  "🎉": () => gettext("celebration"),
  "👍": () => gettext("thumbs up"),
  "🙏": () => gettext("thank you"),
};

const still = matchMedia("(prefers-reduced-motion: reduce)");

/** Fills the picker. It stays open, so that one may clap more than once. */
export function fillPicker(picker, room) {
  picker.replaceChildren(...facts.reactions.map((emoji) => el("button", {
    type: "button", class: "emoji", "aria-label": NAMES[emoji]?.() ?? emoji, "data-emoji": emoji,
    onclick: () => attempt(room.send("react", { emoji })),
  }, emoji)));
}

/** Shows one `reactions` frame in the lane, as still text if motion is not wanted. */
export function showReactions(lane, counts) {
  if (still.matches) {
    write(lane, counts);
    return;
  }
  const emoji = Object.entries(counts).flatMap(([one, number]) => Array(Math.min(number, AT_ONCE)).fill(one));
  emoji.slice(0, Math.max(0, AT_ONCE - lane.children.length)).forEach((one) => rise(lane, one));
}

function rise(lane, emoji) {
  const element = el("span", { class: "rising" }, emoji);
  element.style.setProperty("--drift", `${Math.round(Math.random() * 40)}px`);
  element.style.animationDelay = `${Math.round(Math.random() * SPREAD)}ms`;
  element.addEventListener("animationend", () => element.remove());
  lane.append(element);
}

function write(lane, counts) {
  const words = Object.entries(counts).map(([emoji, number]) => `${emoji} ${count(number)}`).join("  ");
  const element = el("span", { class: "counted" }, words);
  lane.replaceChildren(element);
  setTimeout(() => element.remove(), STAYS);
}

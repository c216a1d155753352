/** Words over the stage about what is wrong or new, with what can be done about it. */
import { clock, el, keyed, write } from "frame/dom.js";
import { connection } from "rooms/page/connection.js";
import { myVoice } from "rooms/wire/state.js";

const toSettings = (speaking) => ({ action: gettext("Microphone settings"), act: () => speaking.chooseDevice() });
const toLive = ({ listening }) => ({
  action: listening.trial.tries ? gettext("Trying…") : gettext("Try without delay"), act: () => listening.retry(),
});
const MAY_TRY = { crowded: ({ sound }) => !sound.place, unreachable: () => true };
const REMEDIES = {
  talking: (speaking) => ({ action: gettext("Open the microphone"), act: () => speaking.toggle() }),
  dead: toSettings,
  lost: toSettings,
};

/** [{key, text, action, act}] of what there is to say now. */
function banners(room, speaking) {
  const { detail, state, quality } = connection(room);
  const until = room.state.space?.host_away_until;
  const left = until ? until - (Date.now() + room.state.clock) / 1000 : 0;
  const me = myVoice(room.state);
  const hint = speaking.hints.current;
  return [
    room.sound.blocked && { key: "blocked", text: gettext("Your browser waits for a click before it plays sound."),
      action: gettext("Turn the sound on"), act: () => room.sound.play() },
    detail && { key: quality || state, text: detail, ...(MAY_TRY[quality]?.(room) && toLive(room)) },
    until && me?.role !== "host" && { key: "away", text: interpolate(room.state.space.host_came
      ? gettext("The host lost the connection. The Space ends in %s unless the host comes back.")
      : gettext("The host is about to come. You hear something as soon as somebody speaks. Without a host the Space ends in %s."), [clock(left)]) },
    hint && { ...hint, ...REMEDIES[hint.key](speaking) },
    me && !speaking.open && !hint && me.role === "speaker" && me.mute === "self" && !speaking.busy && { key: "stage",
      text: gettext("You are on the stage. Open your microphone when you are ready; nobody hears you yet.") },
  ].filter(Boolean);
}

export function drawBanners(list, room, speaking) {
  const had = list.contains(document.activeElement);
  keyed(list, banners(room, speaking), (banner) => banner.key, make, (item, banner) => {
    write(item.firstElementChild, banner.text);
    write(item.querySelector("button"), banner.action);
  });
  if (had && !list.contains(document.activeElement)) focusTitle();
}

/** What had the focus has been dealt with. */
function focusTitle() {
  const title = document.querySelector("#main h1");
  title.tabIndex = -1;
  title.focus({ preventScroll: true });
}

function make(banner) {
  const button = banner.act && el("button", { type: "button", class: "button button-primary", onclick: banner.act }, banner.action);
  return el("li", { class: "message banner", "data-banner": banner.key }, el("p", {}), button);
}

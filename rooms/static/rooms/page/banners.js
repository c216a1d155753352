/** Banners over the stage: what is wrong or new, and what one can do about it. */
import { clock, el, keyed, write } from "frame/dom.js";
import { connection } from "rooms/page/connection.js";
import { myVoice } from "rooms/wire/state.js";

const toSettings = (speaking) => ({ action: gettext("Microphone settings"), act: () => speaking.chooseDevice() });
const toLive = ({ listening }) => ({
  action: listening.trial.tries ? gettext("Trying…") : gettext("Try without delay"), act: () => listening.retry(),
});
const MAY_TRY = { crowded: ({ sound }) => !sound.place, unreachable: ({ sound }) => !sound.impossible };
const REMEDIES = {
  talking: (speaking) => ({ action: gettext("Unmute"), act: () => speaking.toggle() }),
  dead: toSettings,
  lost: toSettings,
};

/** [{key, text, action, act}] of what there is to say now. */
const banners = (room, speaking) =>
  [blocked(room), aboutSound(room), aboutHost(room), hint(speaking), onStage(room, speaking)].filter(Boolean);

function blocked({ sound }) {
  return sound.blocked && {
    key: "blocked", text: gettext("Your browser needs a click before it plays sound."),
    action: gettext("Turn the sound on"), act: () => sound.play(),
  };
}

function aboutSound(room) {
  const { detail, state, quality } = connection(room);
  return detail && { key: quality || state, text: detail, ...(MAY_TRY[quality]?.(room) && toLive(room)) };
}

function aboutHost({ state }) {
  const until = state.space?.host_away_until;
  if (!until || myVoice(state)?.role === "host") return null;
  const text = state.space.host_came
    ? gettext("The host lost their connection. The Space ends in %s unless they come back.")
    : gettext("The host is not here yet. You will hear sound once someone speaks. Without a host the Space ends "
      + "in %s.");
  const left = until - (Date.now() + state.clock) / 1000;
  return { key: "away", text: interpolate(text, [clock(left)]) };
}

function hint(speaking) {
  const { current } = speaking.hints;
  return current && { ...current, ...REMEDIES[current.key](speaking) };
}

function onStage({ state }, speaking) {
  const me = myVoice(state);
  const muted = me?.role === "speaker" && me.mute === "self" && !speaking.open && !speaking.busy;
  return muted && !speaking.hints.current && {
    key: "stage", text: gettext("You are on stage, and muted. Unmute when you want to speak."),
  };
}

export function drawBanners(list, room, speaking) {
  keyed(list, banners(room, speaking), (banner) => banner.key, make, (item, banner) => {
    write(item.firstElementChild, banner.text);
    write(item.querySelector("button"), banner.action);
  });
}

function make({ key, action, act }) {
  const button = act && el("button", { type: "button", class: "button button-primary", onclick: act }, action);
  return el("li", { class: "message banner", "data-banner": key }, el("p", {}), button);
}

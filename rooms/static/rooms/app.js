/** Starts the page: the one room of this tab, the views in <main>, and what stands around it. */
import { connectAudienceChoice } from "frame/audience_choice.js";
import { facts, may } from "frame/facts.js";
import { connectKeys, connectKeysSwitch } from "frame/keys.js";
import { showMoment } from "frame/moment.js";
import { connectNavigation } from "frame/navigation.js";
import { toggle } from "frame/popover.js";
import { report } from "frame/report.js";
import { refresh, register } from "frame/views.js";
import { toggleDataSaver } from "rooms/hls/data_saver.js";
import { Speaking } from "rooms/microphone/speaking.js";
import { connectAnnouncer } from "rooms/page/announce.js";
import { askOrWithdraw } from "rooms/page/bar.js";
import { connectDock } from "rooms/page/dock.js";
import { invite } from "rooms/page/invite.js";
import { connectMediaSession } from "rooms/page/media_session.js";
import { fillPicker, showReactions } from "rooms/page/reactions.js";
import { SpacePage } from "rooms/page/space.js";
import { Room } from "rooms/space/room.js";
import { connectFleet } from "rooms/wire/fleet.js";
import { myRole } from "rooms/wire/state.js";

const byId = (id) => document.getElementById(id);

function startRoom() {
  const room = new Room(byId("room-audio"));
  const speaking = new Speaking(room);
  const drawDock = connectDock(room, speaking);
  connectAnnouncer(room);
  connectMediaSession(room, speaking);
  fillPicker(byId("reaction-picker"), room);
  room.subscribe((_, frame) => frame?.type === "reactions" && showReactions(byId("lane"), frame.counts));
  connectKeys({
    m: () => speaking.toggle(),
    h: () => room.inside && may(myRole(room.state), "ask") && askOrWithdraw(room),
    r: () => room.inside && clickOn("[data-toggle=reaction-picker], [data-dock=react]"),
    "?": () => byId("keys-help").togglePopover(),
  });
  connectKeysSwitch(byId("keys-on"));
  connectClicks(room, speaking);
  register("fleet", connectFleet);
  register("moment", showMoment);
  register("audience-choice", connectAudienceChoice);
  register("space", (element) => {
    const page = new SpacePage(element, room, speaking);
    element.querySelector("[data-part=did-not-start]")?.remove();
    return () => page.disconnect();
  });
  return drawDock;
}

/** Buttons anywhere in the page say in data-toggle or data-do what they do. */
function connectClicks(room, speaking) {
  const acts = {
    "report-space": () => report(document.querySelector("[data-space]").dataset.space),
    "invite": () => invite(room),
    "microphone": () => speaking.chooseDevice(),
    "saver": () => toggleDataSaver(room),
    "keys": () => byId("keys-help").showPopover(),
  };
  document.addEventListener("click", ({ target }) => {
    const button = target.closest?.("button");
    if (!button) return;
    if (button.dataset.toggle) toggle(byId(button.dataset.toggle), button);
    if (button.dataset.do) {
      button.closest("[popover]")?.hidePopover();
      acts[button.dataset.do]();
    }
  });
}

const clickOn = (selector) =>
  [...document.querySelectorAll(selector)].find((button) => button.checkVisibility())?.click();

const drawDock = facts ? startRoom() : () => {};
refresh();
connectNavigation(() => {
  refresh();
  drawDock();
});

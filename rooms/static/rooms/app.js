/** Starts the page: the one room of this tab, the views in <main>, what lives around it. */
import { connectAnnouncer } from "rooms/page/announce.js";
import { connectAudienceChoice } from "frame/audience_choice.js";
import { askOrWithdraw } from "rooms/page/bar.js";
import { connectDock } from "rooms/page/dock.js";
import { facts, may } from "frame/facts.js";
import { connectFleet } from "rooms/wire/fleet.js";
import { invite } from "rooms/page/invite.js";
import { connectKeys, connectKeysSwitch } from "rooms/page/keys.js";
import { showMoment } from "frame/moment.js";
import { connectNavigation } from "frame/navigation.js";
import { toggle } from "frame/popover.js";
import { fillPicker, showReactions } from "rooms/page/reactions.js";
import { report } from "frame/report.js";
import { Room } from "rooms/space/room.js";
import { toggleSaver } from "rooms/hls/data_saver.js";
import { SpacePage } from "rooms/page/space.js";
import { connectSession } from "rooms/page/media_session.js";
import { Speaking } from "rooms/microphone/speaking.js";
import { myRole } from "rooms/wire/state.js";
import { refresh, register } from "frame/views.js";

const byId = (id) => document.getElementById(id);

function startRoom() {
  const room = new Room(byId("room-audio"));
  const speaking = new Speaking(room);
  const drawDock = connectDock(room, speaking);
  connectAnnouncer(room);
  connectSession(room, speaking);
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
    return () => page.disconnect();
  });
  return drawDock;
}

/** Buttons that say what they do in data-toggle, data-close or data-do, wherever they stand. */
function connectClicks(room, speaking) {
  const acts = {
    "report-space": () => report(document.querySelector("[data-space]").dataset.space),
    "invite": () => invite(room),
    "microphone": () => speaking.chooseDevice(),
    "saver": () => toggleSaver(room),
    "keys": () => byId("keys-help").showPopover(),
  };
  document.addEventListener("click", ({ target }) => {
    const button = target.closest?.("button");
    if (!button) return;
    if (button.dataset.toggle) toggle(byId(button.dataset.toggle), button);
    if (button.dataset.close !== undefined) button.closest("dialog, [popover]")?.[button.closest("dialog") ? "close" : "hidePopover"]();
    if (button.dataset.do) {
      button.closest("[popover]")?.hidePopover();
      acts[button.dataset.do]();
    }
  });
}

const clickOn = (selector) => [...document.querySelectorAll(selector)].find((button) => button.checkVisibility())?.click();

const drawDock = facts ? startRoom() : () => {};
refresh();
connectNavigation(() => {
  refresh();
  drawDock();
});

/** A Space from inside: who is there, and who wants to speak. */
import { count, write } from "frame/dom.js";
import { may } from "frame/facts.js";
import { drawDataSaver } from "rooms/hls/data_saver.js";
import { drawAudience } from "rooms/page/audience.js";
import { openMenu } from "rooms/page/menus.js";
import { drawRequests } from "rooms/page/requests.js";
import { drawStage } from "rooms/page/stage.js";
import { myPlace, myRole } from "rooms/wire/state.js";

/** Draws it. part(name) finds a part of the page. */
export function drawInside(element, room, part) {
  const { state } = room;
  const open = (button, person) => openMenu(button, person, room);
  write(element.querySelector("h1"), state.space.title);
  element.querySelectorAll("[data-part=listening]").forEach((one) => write(one, listening(state.listeners)));
  write(part("stage-count"), interpolate(gettext("%s of %s"), [state.stage.length, state.space.max_speakers + 1]));
  drawStage(part("stage"), room, open);
  drawAudience(part("listeners"), part("more"), room, open);
  part("no-listeners").hidden = state.listeners > 0;
  drawRequests(part("requests"), room, open);
  write(part("requests-count"), count(state.requests.length));
  part("no-requests").hidden = state.requests.length > 0;
  part("ask-form").hidden = !may(myRole(state), "ask") || myPlace(state) > 0;
  drawDataSaver(room);
}

const listening = (number) => interpolate(ngettext("%s listening", "%s listening", number), [count(number)]);

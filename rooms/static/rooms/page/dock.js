/** The dock: the Space one is in, while one looks at another page, and what became of it once it is over. */
import { count, face, icon, write } from "frame/dom.js";
import { spaceUrl } from "frame/facts.js";
import { toggle } from "frame/popover.js";
import { drawMicrophone, endForEveryone, pressMicrophone } from "rooms/page/bar.js";
import { trouble } from "rooms/page/connection.js";
import { myRole } from "rooms/wire/state.js";

const ENDINGS = {
  ended: () => gettext("This Space has ended."),
  removed: () => gettext("You are no longer in this Space."),
  taken_over: () => gettext("The sound goes on in another tab."),
  not_found: () => gettext("This Space no longer exists."),
  log_in: () => gettext("Log in again to continue."),
};

export function connectDock(room, speaking) {
  const dock = document.getElementById("dock");
  const part = (name) => dock.querySelector(`[data-dock="${name}"]`);
  let title = "";
  part("mic").addEventListener("click", (event) => pressMicrophone(event, speaking));
  const picker = document.getElementById("reaction-picker");
  part("react").addEventListener("click", ({ currentTarget }) => toggle(picker, currentTarget));
  part("leave").addEventListener("click", () => (room.inside ? leaveOrEnd(room) : room.forget()));

  function draw(frame) {
    if (frame?.type === "levels") return;
    const here = document.querySelector("[data-view=space], [data-view=ended]")?.dataset.space === room.space;
    const over = room.phase === "closed" && room.closed in ENDINGS;
    dock.hidden = here || !(room.inside || over);
    if (dock.hidden) return;
    if (room.state.space) title = room.state.space.title;
    link(dock.querySelector("a"), spaceUrl(room.space));
    write(part("title"), title);
    write(part("facts"), over ? ENDINGS[room.closed]() : trouble(room) || numbers(room.state));
    part("react").hidden = over;
    drawMicrophone(part("mic"), speaking, false);
    drawLeave(part("leave"), over ? "close" : myRole(room.state));
    drawFace(part("face"), room.state.stage.find((person) => person.role === "host"));
  }

  room.subscribe((_, frame) => draw(frame));
  return draw;
}

const leaveOrEnd = (room) => (myRole(room.state) === "host" ? endForEveryone(room) : room.leave());

function numbers({ stage, listeners }) {
  const on = interpolate(ngettext("%s on stage", "%s on stage", stage.length), [count(stage.length)]);
  return `${on}, ${interpolate(ngettext("%s listening", "%s listening", listeners), [count(listeners)])}`;
}

function drawLeave(button, as) {
  if (button.dataset.as === as) return;
  button.dataset.as = as;
  const endings = { close: ["cross", gettext("Close")], host: ["stop", gettext("End the Space")] };
  const [drawing, word] = endings[as] ?? ["leave", gettext("Leave quietly")];
  button.replaceChildren(icon(drawing));
  button.setAttribute("aria-label", word);
}

/** htmx keeps the address that a link had when it was processed. */
function link(element, href) {
  if (element.getAttribute("href") === href) return;
  element.setAttribute("href", href);
  htmx.process(element);
}

function drawFace(element, host) {
  if (!host || element.dataset.handle === host.handle) return;
  element.dataset.handle = host.handle;
  element.replaceChildren(face(host, "s"));
}

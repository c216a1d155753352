/** The bar at the bottom of a Space. It is the same for everyone and shows only what one's role may do. */
import { confirmed } from "frame/confirm.js";
import { count, icon, write } from "frame/dom.js";
import { may } from "frame/facts.js";
import { attempt } from "frame/toast.js";
import { meter } from "rooms/microphone/notice.js";
import { trouble } from "rooms/page/connection.js";
import { myPlace, myRole } from "rooms/wire/state.js";

const HEARD_FOR = 1500;  // ms after the last level for which one counts as heard

/** Draws the microphone's button, in the bar and in the dock. Its word says what a click will do. */
export function drawMicrophone(button, speaking, label) {
  const state = speaking.open ? "open" : speaking.mutedByHost ? "locked" : "closed";
  button.hidden = !speaking.onStage;
  button.disabled = state === "locked";
  if (button.dataset.state === state) return;
  button.dataset.state = state;
  const word = { open: gettext("Mute"), closed: gettext("Unmute"), locked: gettext("Muted by the host") }[state];
  button.replaceChildren(icon(state === "open" ? "mic" : "mic-off"), ...(label ? [word] : []));
  if (!label) button.setAttribute("aria-label", word);
}

/** The second click of a double click does not count, or it would open a microphone that the first one has closed. */
export const pressMicrophone = ({ detail }, speaking) => detail < 2 && speaking.toggle();

/** Asks to speak, or takes the request back. */
export const askOrWithdraw = (room, text = "") =>
  attempt(myPlace(room.state) ? room.send("withdraw") : room.send("ask", { text }));

export async function endForEveryone(room) {
  const listeners = room.state.listeners;
  const text = interpolate(ngettext(
    "The Space ends for everyone. %s person is listening. It cannot be reopened.",
    "The Space ends for everyone. %s people are listening. It cannot be reopened.", listeners), [count(listeners)]);
  const sure = await confirmed({ title: gettext("End this Space?"), text, action: gettext("End for everyone") });
  if (sure) await attempt(room.send("end"));
}

export class Bar {
  #heardAt = 0;

  constructor(element, room, speaking, topic) {
    Object.assign(this, { element, room, speaking, topic });
    this.stop = meter(this.#part("meter"), () => room.microphone.level());
    const acts = {
      mic: (event) => pressMicrophone(event, speaking),
      ask: () => this.#ask(),
      leave: () => room.leave(),
      end: () => endForEveryone(room),
    };
    for (const [name, act] of Object.entries(acts)) this.#part(name).addEventListener("click", act);
  }

  draw() {
    const { room, speaking } = this;
    const [role, place] = [myRole(room.state), myPlace(room.state)];
    drawMicrophone(this.#part("mic"), speaking, true);
    this.#part("ask").hidden = !may(role, "ask");
    this.#part("ask").dataset.state = place ? "asked" : "idle";
    write(this.#part("ask-word"), place ? gettext("Lower hand") : gettext("Ask to speak"));
    this.#part("leave").hidden = !may(role, "leave");
    this.#part("end").hidden = !may(role, "end");
    this.#part("meter").hidden = !speaking.open;
    write(this.#part("requests-count"), room.state.requests.length ? count(room.state.requests.length) : "");
    this.drawStatus();
  }

  /** My own state in words. Also drawn with every `levels` frame, which says whether I am heard. */
  drawStatus() {
    const { room, speaking } = this;
    if (room.state.levels[room.state.you?.participant] > 0) this.#heardAt = performance.now();
    const heard = performance.now() - this.#heardAt < HEARD_FOR;
    const place = myPlace(room.state);
    let word = trouble(room) || gettext("You are listening");
    if (place) word = interpolate(gettext("Hand up: number %s in line"), [count(place)]);
    if (speaking.onStage) word = speaking.mutedByHost ? gettext("The host muted you") : gettext("You are muted");
    if (speaking.open) word = heard ? gettext("You are heard") : gettext("You are unmuted");
    write(this.#part("status"), word);
  }

  async #ask() {
    if (await askOrWithdraw(this.room, this.topic.value.trim())) this.topic.value = "";
  }

  #part(name) {
    return this.element.querySelector(`[data-bar="${name}"]`);
  }
}

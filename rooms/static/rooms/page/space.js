/** The page of a Space: draws the room that this tab is in, or offers to enter. */
import { clock, write } from "frame/dom.js";
import { may } from "frame/facts.js";
import { keepFocus } from "frame/focus.js";
import { connectSheet } from "frame/sheet.js";
import { drawBanners } from "rooms/page/banners.js";
import { Bar } from "rooms/page/bar.js";
import { connection } from "rooms/page/connection.js";
import { showEnd, watchPreview } from "rooms/page/ended.js";
import { drawInside } from "rooms/page/inside.js";
import { drawLevels } from "rooms/page/stage.js";
import { enter } from "rooms/space/entering.js";
import { myRole, notYetInEffect } from "rooms/wire/state.js";

const EFFECT_HINT_AFTER = 400;  // ms: what is quicker needs no hint

export class SpacePage {
  #behindSince = 0;

  constructor(element, room, speaking) {
    Object.assign(this, { element, room, speaking, space: element.dataset.space });
    this.bar = new Bar(this.#part("bar"), room, speaking, this.#part("topic"));
    element.querySelectorAll("[data-part=join], [data-enter-again]").forEach((button) => {
      button.addEventListener("click", () => enter(room, this.space));
    });
    this.#part("ask-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#part("bar").querySelector("[data-bar=ask]").click();
    });
    connectSheet(element, (name) => this.#part(name));
    this.timer = setInterval(() => this.#tick(), 500);
    this.unsubscribe = room.subscribe((_, frame) => this.draw(frame));
    this.unwatch = watchPreview(element, () => !this.#part("preview").hidden && !(this.here && room.inside));
  }

  disconnect() {
    clearInterval(this.timer);
    this.bar.stop();
    this.unsubscribe();
    this.unwatch();
  }

  get here() {
    return this.room.space === this.space;
  }

  draw(frame) {
    if (this.here && frame?.type === "levels") {
      drawLevels(this.#part("stage"), this.room.state);
      this.bar.drawStatus();
      return;
    }
    const phase = this.here ? this.room.phase : "idle";
    const screen = phase === "closed" ? this.room.closed : "";
    const live = (phase === "live" || phase === "reconnecting") && this.room.state.space !== null;
    const preview = !live && (screen === "" || screen === "left");
    this.element.dataset.phase = screen && !preview ? "over" : phase;
    this.#part("preview").hidden = !preview;
    this.#part("room").hidden = this.#part("bar").hidden = !live;
    this.element.querySelectorAll("[data-screen]").forEach((part) => { part.hidden = part.dataset.screen !== screen; });
    this.#drawJoin(phase);
    this.#drawConnection();
    this.#drawBanners();
    if (live) {
      drawInside(this.element, this.room, (name) => this.#part(name));
      this.bar.draw();
      this.#tick();
    }
    keepFocus();
    if (screen === "ended" && !this.over) this.#showEnd();
  }

  #drawJoin(phase) {
    const joining = phase === "joining";
    this.#part("join").disabled = joining;
    write(this.#part("join-word"), joining ? gettext("Joining…") : this.element.dataset.join);
  }

  #drawConnection() {
    const sign = this.#part("connection");
    const inside = this.here && this.room.inside;
    sign.hidden = !inside;
    if (!inside) return;
    const { state, word, quality } = connection(this.room);
    Object.assign(sign.dataset, { state, quality });
    write(sign.querySelector("b"), word);
  }

  #drawBanners() {
    if (this.here && this.room.inside) drawBanners(this.#part("banners"), this.room, this.speaking);
    else this.#part("banners").replaceChildren();
  }

  /** What changes with the clock: running time, the host's countdown, hints about microphone and sound. */
  #tick() {
    const { state, inside } = this.room;
    if (!this.over) write(this.#part("time"), clock(Date.now() / 1000 - this.#started));
    if (!this.here || !inside) return;
    this.#drawBanners();
    keepFocus();
    this.#behindSince = notYetInEffect(state) ? this.#behindSince || Date.now() : 0;
    const behind = this.#behindSince > 0 && Date.now() - this.#behindSince > EFFECT_HINT_AFTER;
    this.#part("not-in-effect").hidden = !(behind && may(myRole(state), "mute"));
  }

  /** When the Space began, in seconds since 1970 by the clock of this machine. */
  get #started() {
    const { space, clock: ahead } = this.room.state;
    return this.here && space ? space.started_at - ahead / 1000 : Number(this.element.dataset.started);
  }

  #showEnd() {
    this.over = true;
    showEnd(this.element);
  }

  #part(name) {
    return this.element.querySelector(`[data-part="${name}"]`);
  }
}

/** Hints for people on the stage: that they talk while muted, that their microphone gives nothing, or that nothing of
 *  it reaches the node. The node reports the last one; the others are measured in this browser. */
import { announce } from "frame/announcer.js";
import { say } from "frame/toast.js";

const dialog = document.getElementById("microphone-dialog");
const LOOK_EVERY = 100;
const TALKING = 0.4;            // of the meter, about -40 dBFS: above the noise of a room, below any voice
const LOOKS = 15, TALKED = 8;   // how many of the last looks must be loud, so that a cough does not count
const TALKED_FOR = 5000;        // ms after the last word for which the hint stays
const DEAD_AFTER = 2200;        // ms without even noise

const TEXTS = {
  talking: () => gettext("You are talking, but you are muted."),
  dead: () => gettext(
    "Your microphone is silent, so no one hears you. Check that it is switched on, or choose another one."),
  lost: () => gettext(
    "No one hears you: your sound does not reach the server. Choose your microphone again, or try another network."),
};

export class Hints {
  #loud = [];
  #talkedAt = -Infinity;
  #aliveAt = 0;
  #measured = null;     // the track that is measured
  #wasOpen = false;
  #timer = null;
  #current = "";

  constructor(room, speaking) {
    Object.assign(this, { room, speaking });
    room.subscribe(() => this.#follow());
  }

  /** {key: talking, dead or lost; text}, or null. */
  get current() {
    return this.#current ? { key: this.#current, text: TEXTS[this.#current]() } : null;
  }

  /** Measures for as long as there is a microphone. */
  #follow() {
    if (this.room.microphone.track) this.#timer ??= setInterval(() => this.#look(), LOOK_EVERY);
    else this.#rest();
  }

  #rest() {
    clearInterval(this.#timer);
    this.#timer = this.#measured = null;
    this.#show("");
  }

  #look() {
    const { track } = this.room.microphone;
    if (!track) return this.#rest();
    const now = performance.now();
    if (track !== this.#measured || this.speaking.open !== this.#wasOpen) this.#begin(track, now);
    this.#measure(now);
    return this.#show(this.#found(now));
  }

  #begin(track, now) {
    [this.#measured, this.#wasOpen] = [track, this.speaking.open];
    [this.#loud, this.#talkedAt, this.#aliveAt] = [[], -Infinity, now];
  }

  #measure(now) {
    const { microphone } = this.room;
    if (!microphone.dead) this.#aliveAt = now;
    this.#loud = [...this.#loud, microphone.level() > TALKING].slice(-LOOKS);
    if (this.#loud.filter(Boolean).length >= TALKED) this.#talkedAt = now;
  }

  #found(now) {
    const { room, speaking } = this;
    if (dialog.open) return "";  // its meter shows it
    if (speaking.open && now - this.#aliveAt > DEAD_AFTER) return "dead";
    if (speaking.open && room.sound.state === "live" && room.state.connection?.arrives === false) return "lost";
    return speaking.watching && now - this.#talkedAt < TALKED_FOR ? "talking" : "";
  }

  /** The page of the Space shows the hint as a banner. On other pages it is a toast. */
  #show(found) {
    if (found === this.#current) return;
    this.#current = found;
    if (!found) return;
    const shown = document.querySelector("[data-view=space]")?.dataset.space === this.room.space;
    (shown ? announce : say)(TEXTS[found]());
  }
}

/** The sound as files (HLS): a few seconds late, over any network, in any number. Same public face as `Sound`. */
import { Address } from "rooms/address.js";
import { Loader } from "rooms/loader.js";
import { Native } from "rooms/native.js";

const LOOK_EVERY = 1000;
const SILENT_AFTER = 4000;
const HANGING_AFTER = 12_000;

export class Files {
  state = "off";      // off, connecting, live, reconnecting
  delay = null;       // seconds, where it is known
  #player = null;
  #address = new Address();
  #timer = null;
  #at = 0;            // the place that was played last, and when that was
  #playedAt = 0;
  #nativeFailed = false;

  /** hear(files): Promise of the frame `files`; now(), zero(): the server's clock in seconds, now and when the Space began;
   *  play(): as Sound has it; changed(). */
  constructor(element, { hear, now, zero, play, changed }) {
    Object.assign(this, { element, hear, now, zero, play, changed });
  }

  get on() {
    return this.state !== "off";
  }

  /** False where this Space has no files; asks again where nobody answers. */
  async start() {
    this.#set("connecting");
    let frame = null;
    while (this.on && frame === null) frame = await this.#ask();
    if (this.on && frame.hls) this.#begin();
    return !this.on || frame.hls;
  }

  /** Over a new socket the server has to be asked anew. */
  async again() {
    if (this.on && this.#player) await this.#ask();
  }

  renew(frame) {
    if (this.on) this.#address.take(frame);
  }

  stop() {
    if (!this.on) return;
    clearInterval(this.#timer);
    this.#drop();
    this.hear(false).catch(() => {});
    this.delay = null;
    this.#set("off");
  }

  async #ask() {
    try {
      const frame = await this.hear(true);
      if (frame.hls) this.#address.take(frame);
      return frame;
    } catch {
      await new Promise((done) => { setTimeout(done, LOOK_EVERY); });
      return null;
    }
  }

  #begin() {
    this.#drop();
    const native = !this.#nativeFailed && Native.able(this.element, this.#address);
    const Player = native || !Loader.able ? Native : Loader;
    const options = { now: this.now, zero: this.zero, begun: () => this.play() };
    this.element.onerror = () => this.#failed(native);
    this.#player = new Player(this.element, this.#address, options);
    this.#playedAt = performance.now();
    this.#player.start().catch(() => this.#failed(native));
    clearInterval(this.#timer);
    this.#timer = setInterval(() => this.#look(), LOOK_EVERY);
  }

  /** The browser's own player does not come back by itself. Where it gives up, the other one is tried. */
  #failed(native) {
    if (!this.on) return;
    this.#nativeFailed ||= native;
    this.#set("reconnecting");
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.on && this.#begin(), LOOK_EVERY);
  }

  #look() {
    const { currentTime } = this.element;
    const now = performance.now();
    if (currentTime !== this.#at) [this.#at, this.#playedAt] = [currentTime, now];
    const silent = now - this.#playedAt;
    this.delay = this.#player.delay;
    if (silent > HANGING_AFTER && this.#address.open && !this.element.paused) this.#failed(this.#player instanceof Native);
    else if (silent < LOOK_EVERY * 1.5 && currentTime > 0) this.#set("live");
    else if (silent > SILENT_AFTER && this.state === "live") this.#set("reconnecting");
  }

  #drop() {
    this.#player?.stop();
    this.#player = this.element.onerror = null;
    this.element.removeAttribute("src");
    this.element.load();
  }

  #set(state) {
    this.state = state;
    this.changed();
  }
}

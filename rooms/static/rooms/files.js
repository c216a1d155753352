/** The sound as files (HLS): a few seconds late, over any network, in any number. Same public face as `Sound`. */
import { Address } from "rooms/address.js";
import { Loader } from "rooms/loader.js";
import { Native } from "rooms/native.js";
import { beginning, parse } from "rooms/playlist.js";
import { Rings } from "rooms/rings.js";

const LOOK_EVERY = 1000;
const SILENT_AFTER = 4000;
const HANGING_AFTER = 12_000;
const GIVE_UP_AFTER = 30_000;   // of silence: then the connection is better
const ASK_TIMES = 10, ASK_EVERY = 2000;

export class Files {
  state = "off";      // off, preparing (not heard yet), connecting, live, reconnecting
  delay = null;       // seconds, where it is known
  #player = null;
  #address = new Address();
  #timer = null;
  #at = 0;            // the place that was played last, and when that was
  #playedAt = 0;
  #begun = false;     // the player has something to play
  #nativeFailures = 0;  // one after the other
  #turn = 0;          // of beginning anew
  #rings;

  /** hear(files): Promise of the frame `files`; now(), zero(): the server's clock in seconds, now and when the Space began;
   *  play(): as Sound has it; levels({participant: level}): of what is heard; changed(); gone(): there are no files any more. */
  constructor(element, { hear, now, zero, play, levels, changed, gone }) {
    Object.assign(this, { element, hear, now, zero, play, changed, gone });
    this.#rings = new Rings({ heard: () => this.#player?.heard ?? null, tell: levels });
  }

  get on() {
    return this.state !== "off";
  }

  /** True once there is enough to begin with, false where this Space has no files, null once it was stopped meanwhile.
   *  Nothing is heard yet. */
  async prepare() {
    const turn = this.#turn += 1;
    this.#set("preparing");
    const ready = await this.#asked(turn) && await this.#written(turn);
    return this.on && turn === this.#turn ? ready : null;
  }

  /** Begin to play. */
  begin() {
    this.#set("connecting");
    this.#begin();
  }

  /** Over a new socket, or for another reason, the server has to be asked anew. */
  async again() {
    const turn = this.#turn;
    if (this.on && !await this.#asked(turn) && this.on && turn === this.#turn) this.gone();
  }

  renew(frame) {
    if (this.on) this.#address.take(frame);
  }

  stop() {
    if (!this.on) return;
    this.#turn += 1;
    clearInterval(this.#timer);
    if (this.state !== "preparing") this.#drop();
    this.hear(false).catch(() => {});
    this.delay = null;
    this.#set("off");
  }

  /** Whether we may hear now. A node that is being started again has files soon. */
  async #asked(turn) {
    for (let times = 0; turn === this.#turn && times < ASK_TIMES; times += 1) {
      const frame = await this.hear(true).catch(() => null);
      if (frame?.hls) this.#address.take(frame);
      if (frame?.hls) return true;
      await pause(ASK_EVERY);
    }
    return false;
  }

  /** Whether there is enough to begin with, sooner or later. */
  async #written(turn) {
    const enough = this.#native ? Native.ENOUGH : Loader.ENOUGH;
    const until = performance.now() + GIVE_UP_AFTER;
    while (turn === this.#turn && performance.now() < until) {
      const text = await this.#address.text(Native.SOUND);
      if (text !== null && beginning(parse(text).segments, enough).length) return true;
      await pause(LOOK_EVERY / 2);
    }
    return false;
  }

  get #native() {
    return (this.#nativeFailures < 2 && Native.able(this.element, this.#address)) || !Loader.able;
  }

  #begin() {
    this.#drop();
    const native = this.#native;
    const begun = () => {
      this.#begun = true;
      this.play();
    };
    const read = (segments) => this.#rings.take(segments);
    this.element.onerror = () => this.#failed();
    this.#player = new (native ? Native : Loader)(this.element, this.#address, { now: this.now, zero: this.zero, begun, read });
    [this.#playedAt, this.#begun] = [performance.now(), false];
    this.#player.start().catch(() => this.#failed());
    this.#rings.start();
    clearInterval(this.#timer);
    this.#timer = setInterval(() => this.#look(), LOOK_EVERY);
  }

  /** The browser's own player does not come back by itself. Where it gives up twice, the other one is tried. */
  #failed() {
    if (!this.on) return;
    if (this.#player instanceof Native) this.#nativeFailures += 1;
    this.#set("reconnecting");
    clearInterval(this.#timer);
    this.#timer = setTimeout(() => this.on && this.#begin(), LOOK_EVERY);
  }

  #look() {
    const { currentTime, paused } = this.element;
    const now = performance.now();
    if (currentTime !== this.#at || (paused && this.#begun)) [this.#at, this.#playedAt] = [currentTime, now];
    const silent = now - this.#playedAt;
    this.delay = this.#player.heard === null ? null : this.now() - this.#player.heard;
    if (silent > GIVE_UP_AFTER) this.gone();
    else if (silent > HANGING_AFTER && this.#begun && this.#address.open) this.#failed();
    else if (silent < LOOK_EVERY * 1.5 && currentTime > 0) this.#heard();
    else if (silent > SILENT_AFTER && this.state === "live") this.#set("reconnecting");
  }

  #heard() {
    if (this.#player instanceof Native) this.#nativeFailures = 0;
    this.#set("live");
  }

  #drop() {
    this.#player?.stop();
    this.#rings.stop();
    this.#player = this.element.onerror = null;
    this.element.removeAttribute("src");
    this.element.load();
  }

  #set(state) {
    this.state = state;
    this.changed();
  }
}

const pause = (ms) => new Promise((done) => { setTimeout(done, ms); });

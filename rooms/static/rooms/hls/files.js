/** The sound as files (HLS): a few seconds late, over any network, in any number. Same public face as `Sound`. */
import { Address } from "rooms/hls/signed_address.js";
import { Native } from "rooms/hls/native_player.js";
import { Playback } from "rooms/hls/playback.js";
import { beginning, segmentsIn } from "rooms/hls/playlist.js";

const LOOK_EVERY = 500;
const ASK_TIMES = 10, ASK_EVERY = 2000;

export class Files {
  state = "off";      // off, preparing (not heard yet), connecting, live, reconnecting
  #address = new Address();
  #playback;
  #turn = 0;          // of beginning anew

  /** hear(files): Promise of the frame `files`; now(), zero(): the server's clock in seconds, now and when the Space began;
   *  play(): as Sound has it; levels({participant: level}): of what is heard; changed(); gone(): there are no files any more;
   *  doubted(): the server has not renewed the signature, perhaps the network is gone. */
  constructor(element, { hear, now, zero, play, levels, changed, gone, doubted }) {
    Object.assign(this, { hear, changed, gone });
    const told = (state) => this.#set(state);
    this.#playback = new Playback(element, this.#address, { now, zero, play, levels, gone, doubted, told });
  }

  get on() {
    return this.state !== "off";
  }

  /** Seconds between what is said and what is heard of it, where that is known. */
  get delay() {
    return this.#playback.delay;
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
    this.#playback.start();
  }

  /** Over a new socket, or for another reason, the server has to be asked anew. */
  async again() {
    const turn = this.#turn;
    if (this.on && !await this.#asked(turn) && this.on && turn === this.#turn) this.gone();
  }

  renew(frame) {
    if (!this.on) return;
    if (frame.hls) this.#address.take(frame);
    else this.gone();
  }

  stop() {
    if (!this.on) return;
    this.#turn += 1;
    this.#playback.stop();
    this.hear(false).catch(() => {});
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
    const { enough } = this.#playback;
    const until = performance.now() + Playback.GIVE_UP_AFTER;
    while (turn === this.#turn && performance.now() < until) {
      if (beginning(segmentsIn(await this.#address.text(Native.SOUND)), enough).length) return true;
      await pause(LOOK_EVERY);
    }
    return false;
  }

  #set(state) {
    this.state = state;
    this.changed();
  }
}

const pause = (ms) => new Promise((done) => { setTimeout(done, ms); });

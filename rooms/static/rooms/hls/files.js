/** The sound as files (HLS): a few seconds late, over any network, for any number of listeners. */
import { NativePlayer } from "rooms/hls/native_player.js";
import { Playback } from "rooms/hls/playback.js";
import { beginning, segmentsIn } from "rooms/hls/playlist.js";
import { SignedAddress } from "rooms/hls/signed_address.js";

const LOOK_EVERY = 500;
const ASK_TIMES = 10, ASK_EVERY = 2000;

export class Files {
  state = "off";      // off, preparing and ready (not heard yet), connecting, live, reconnecting
  #address = new SignedAddress();
  #playback;
  #attempt = 0;       // counts beginnings: an earlier one stops when it sees that a later one has begun

  /** hear(files) returns a promise of the frame `files`. now(), zero(): the server's clock in seconds, now and when the
   *  Space began. play(): as in Sound. levels({participant: level}): of what is heard. changed(). gone(): there are no
   *  files any more. doubted(): the server has not renewed the signature; the network may be gone. */
  constructor(element, { hear, now, zero, play, levels, changed, gone, doubted }) {
    Object.assign(this, { hear, changed, gone });
    const became = (state) => this.#set(state);
    this.#playback = new Playback(element, this.#address, { now, zero, play, levels, gone, doubted, became });
  }

  get on() {
    return this.state !== "off";
  }

  /** Seconds between what is said and what is heard; null if unknown. */
  get delay() {
    return this.#playback.delay;
  }

  /** A promise of true once there is enough to begin with, of false if this Space has no files, of null if it was
   *  stopped meanwhile. Nothing is played yet. */
  async prepare() {
    const attempt = this.#attempt += 1;
    this.#set("preparing");
    const ready = await this.#ask(attempt) && await this.#wait(attempt);
    if (!this.on || attempt !== this.#attempt) return null;
    if (ready) this.#set("ready");
    return ready;
  }

  /** Begins to play. rest() ends what was heard before. */
  begin(rest) {
    this.state = "connecting";
    rest();
    this.changed();
    this.#playback.start();
  }

  /** Asks the server again, over a new socket or because the member chose files. */
  async again() {
    const attempt = this.#attempt;
    if (this.on && !await this.#ask(attempt) && this.on && attempt === this.#attempt) this.gone();
  }

  renew(frame) {
    if (!this.on) return;
    if (frame.hls) this.#address.take(frame);
    else this.gone();
  }

  stop() {
    if (!this.on) return;
    this.#attempt += 1;
    this.#playback.stop();
    this.hear(false).catch(() => {});
    this.#set("off");
  }

  /** A promise: whether we may hear now. A node that is being started again has files soon. */
  async #ask(attempt) {
    for (let times = 0; attempt === this.#attempt && times < ASK_TIMES; times += 1) {
      const frame = await this.hear(true).catch(() => null);
      if (frame?.hls) this.#address.take(frame);
      if (frame?.hls) return true;
      await pause(ASK_EVERY);
    }
    return false;
  }

  /** Waits until there is enough to begin with. A promise of false if that takes too long. */
  async #wait(attempt) {
    const { enough } = this.#playback;
    const until = performance.now() + Playback.GIVE_UP_AFTER;
    while (attempt === this.#attempt && performance.now() < until) {
      if (beginning(segmentsIn(await this.#address.text(NativePlayer.SOUND)), enough).length) return true;
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

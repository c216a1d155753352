/** Plays the files of a Space, by the browser's own player or by our loader, and brings the sound back when it stops. */
import { Loader } from "rooms/hls/loader.js";
import { Native } from "rooms/hls/native_player.js";
import { Rings } from "rooms/hls/rings.js";

const LOOK_EVERY = 1000;
const SILENT_AFTER = 4000;
const HANGING_AFTER = 12_000;

export class Playback {
  static GIVE_UP_AFTER = 30_000;   // ms in which nothing new was heard: then the connection is better
  delay = null;       // seconds, where it is known
  #player = null;
  #timer = null;
  #at = 0;            // the place that was played last, and when that was
  #playedAt = 0;
  #newest = 0;        // of what was heard, by when it was said, and when it was heard
  #newAt = 0;
  #begun = false;     // the player has something to play
  #live = false;
  #open = true;       // the signature was not over at the last look
  #nativeFailures = 0;  // one after the other
  #rings;

  /** now(), zero(), play(), levels(), gone(), doubted(): as `Files` has them; told(state): live or reconnecting. */
  constructor(element, address, { now, zero, play, levels, gone, doubted, told }) {
    Object.assign(this, { element, address, now, zero, play, gone, doubted, told });
    this.#rings = new Rings({ heard: () => this.#player?.heard ?? null, tell: levels });
  }

  /** Seconds of sound to begin with. */
  get enough() {
    return this.#native ? Native.ENOUGH : Loader.ENOUGH;
  }

  start() {
    [this.#newest, this.#newAt] = [0, performance.now()];
    this.#start();
  }

  /** Also anew, which makes nothing newer. */
  #start() {
    this.#drop();
    this.#player = this.#made();
    this.element.onerror = () => this.#failed();
    [this.#playedAt, this.#begun] = [performance.now(), false];
    this.#player.start().catch(() => this.#failed());
    this.#rings.start();
    clearInterval(this.#timer);
    this.#timer = setInterval(() => this.#look(), LOOK_EVERY);
  }

  stop() {
    clearInterval(this.#timer);
    if (this.#player) this.#drop();
    [this.delay, this.#live] = [null, false];
  }

  get #native() {
    return (this.#nativeFailures < 2 && Native.able(this.element, this.address)) || !Loader.able;
  }

  #made() {
    const begun = () => {
      this.#begun = true;
      this.play();
    };
    const read = (segments) => this.#rings.take(segments);
    const { element, address, now, zero } = this;
    return new (this.#native ? Native : Loader)(element, address, { now, zero, since: this.#newest, begun, read });
  }

  /** The browser's own player does not come back by itself. Where it gives up twice, the other one is tried. */
  #failed() {
    if (!this.#player) return;
    if (this.#player instanceof Native) this.#nativeFailures += 1;
    this.#tell("reconnecting");
    clearInterval(this.#timer);
    this.#timer = setTimeout(() => this.#start(), LOOK_EVERY);
  }

  #look() {
    const { currentTime } = this.element;
    const now = performance.now();
    this.#note(now);
    const silent = now - this.#playedAt;
    if (this.#open && !this.address.open) this.doubted();
    this.#open = this.address.open;
    if (now - this.#newAt > Playback.GIVE_UP_AFTER) this.gone();
    else if (silent > HANGING_AFTER && this.#begun && this.address.open) this.#failed();
    else if (silent < LOOK_EVERY * 1.5 && currentTime > 0) this.#heard();
    else if (silent > SILENT_AFTER && this.#live) this.#tell("reconnecting");
  }

  /** What was heard until now; what was paused is not silent. */
  #note(now) {
    const { currentTime, paused } = this.element;
    const { heard } = this.#player;
    const [isPaused, moves] = [paused && this.#begun, currentTime !== this.#at];
    if (moves || isPaused) [this.#at, this.#playedAt] = [currentTime, now];
    if (isPaused || (heard === null ? moves && this.#begun : heard > this.#newest)) this.#newAt = now;
    this.#newest = Math.max(this.#newest, heard ?? 0);
    this.delay = heard === null ? null : this.now() - heard;
  }

  #heard() {
    if (this.#player instanceof Native) this.#nativeFailures = 0;
    this.#tell("live");
  }

  #drop() {
    this.#player?.stop();
    this.#rings.stop();
    this.#player = this.element.onerror = null;
    this.element.removeAttribute("src");
    this.element.load();
  }

  #tell(state) {
    this.#live = state === "live";
    this.told(state);
  }
}

/** Plays the files of a Space, by the browser's own player or by our loader, and starts again when the sound stops. */
import { Loader } from "rooms/hls/loader.js";
import { NativePlayer } from "rooms/hls/native_player.js";
import { Progress } from "rooms/hls/progress.js";
import { Rings } from "rooms/hls/rings.js";

const LOOK_EVERY = 1000;
const SILENT_AFTER = 4000;
const HANGING_AFTER = 12_000;

export class Playback {
  static GIVE_UP_AFTER = 30_000;   // ms in which nothing new was heard: then the connection is better
  #player = null;
  #timer = null;
  #begun = false;     // the player has something to play
  #live = false;
  #open = true;       // the signature was valid at the last look
  #nativeFailures = 0;  // in a row
  #progress = new Progress();
  #rings;

  /** now(), zero(), play(), levels(), gone(), doubted(): as in Files. became(state): live or reconnecting. */
  constructor(element, address, { now, zero, play, levels, gone, doubted, became }) {
    Object.assign(this, { element, address, now, zero, play, gone, doubted, became });
    this.#rings = new Rings({ heard: () => this.#player?.heard ?? null, show: levels });
  }

  /** Seconds of sound to begin with. */
  get enough() {
    return this.#native ? NativePlayer.ENOUGH : Loader.ENOUGH;
  }

  /** Seconds between what is said and what is heard; null if unknown. */
  get delay() {
    return this.#progress.delay;
  }

  start() {
    this.#progress.begin();
    this.#start();
  }

  /** With a new player, also after a failure. */
  #start() {
    this.#drop();
    this.#player = this.#makePlayer();
    this.element.onerror = () => this.#failed();
    this.#begun = false;
    this.#progress.restart();
    this.#player.start().catch(() => this.#failed());
    this.#rings.start();
    clearInterval(this.#timer);
    this.#timer = setInterval(() => this.#look(), LOOK_EVERY);
  }

  stop() {
    clearInterval(this.#timer);
    if (this.#player) this.#drop();
    this.#progress.delay = null;
    this.#live = false;
  }

  get #native() {
    return (this.#nativeFailures < 2 && NativePlayer.able(this.element, this.address)) || !Loader.able;
  }

  #makePlayer() {
    const begun = () => {
      this.#begun = true;
      this.play();
    };
    const read = (segments) => this.#rings.take(segments);
    const { element, address, now, zero } = this;
    const Player = this.#native ? NativePlayer : Loader;
    return new Player(element, address, { now, zero, since: this.#progress.newest, begun, read });
  }

  /** The browser's own player does not recover from errors. After two failures our loader takes its place. */
  #failed() {
    if (!this.#player) return;
    if (this.#player instanceof NativePlayer) this.#nativeFailures += 1;
    this.#become("reconnecting");
    clearInterval(this.#timer);
    this.#timer = setTimeout(() => this.#start(), LOOK_EVERY);
  }

  #look() {
    this.#progress.note(this.element, { heard: this.#player.heard, clock: this.now(), begun: this.#begun });
    const { silentFor, staleFor } = this.#progress;
    if (this.#open && !this.address.open) this.doubted();
    this.#open = this.address.open;
    if (staleFor > Playback.GIVE_UP_AFTER) this.gone();
    else if (silentFor > HANGING_AFTER && this.#begun && this.address.open) this.#failed();
    else if (silentFor < LOOK_EVERY * 1.5 && this.element.currentTime > 0) this.#heard();
    else if (silentFor > SILENT_AFTER && this.#live) this.#become("reconnecting");
  }

  #heard() {
    if (this.#player instanceof NativePlayer) this.#nativeFailures = 0;
    this.#become("live");
  }

  #drop() {
    this.#player?.stop();
    this.#rings.stop();
    this.#player = this.element.onerror = null;
    this.element.removeAttribute("src");
    this.element.load();
  }

  #become(state) {
    this.#live = state === "live";
    this.became(state);
  }
}

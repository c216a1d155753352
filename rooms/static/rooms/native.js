/** Plays files where the browser does it by itself (Safari, newer Chromium): it stays with one address, see address.js. */
import { beginning, parse } from "rooms/playlist.js";

const PLAYLIST = "own.m3u8";  // without Opus: given the choice, Chromium 156 changes over to the other one and fails
const KIND = "application/vnd.apple.mpegurl";
const LOOK_EVERY = 500;
const MEASURE_EVERY = 10_000;

export class Native {
  static SOUND = "aac.m3u8";
  static ENOUGH = 7;  // seconds of sound: with less Chromium 156 gives up, and Safari does not begin
  #stopped = false;
  #age = null;        // seconds since what the browser has was new, as far as it can be told from outside
  #timer = null;

  static able(element, address) {
    return address.cookies && element.canPlayType(KIND) !== "";
  }

  /** now(): the server's clock in seconds; begun(): there is something to play. */
  constructor(element, address, { now, begun }) {
    Object.assign(this, { element, address, now, begun });
  }

  /** A player that finds nothing gives up, so it is not asked before there is something. */
  async start() {
    while (!this.#stopped && !await this.#there()) await new Promise((done) => { setTimeout(done, LOOK_EVERY); });
    if (this.#stopped) return;
    this.element.src = `${this.address.own(PLAYLIST)}?${Date.now()}`;  // or it may go on with what it had before
    this.begun();
    this.#timer = setInterval(() => this.#measure(), MEASURE_EVERY);
    setTimeout(() => this.#measure(), LOOK_EVERY);
  }

  stop() {
    this.#stopped = true;
    clearInterval(this.#timer);
  }

  /** Seconds between what is said and what is heard of it: exact where the browser knows (Safari), else within a segment. */
  get delay() {
    const { buffered, currentTime } = this.element;
    const start = this.element.getStartDate?.().getTime();
    if (start > 0) return this.now() - start / 1000 - currentTime;
    return this.#age !== null && buffered.length ? this.#age + buffered.end(buffered.length - 1) - currentTime : null;
  }

  async #measure() {
    const newest = parse(await this.address.text(Native.SOUND) ?? "#EXTM3U").segments.at(-1);
    if (newest) this.#age = this.now() - newest.at / 1000 - newest.seconds;
  }

  async #there() {
    const text = await this.address.text(Native.SOUND);
    return text !== null && beginning(parse(text).segments, Native.ENOUGH).length > 0;
  }
}

/** Plays files where the browser does it by itself (Safari, newer Chromium): it stays with one address, see address.js. */
import { beginning, parse, ways } from "rooms/playlist.js";

const KIND = "application/vnd.apple.mpegurl";
const ENOUGH = 2;           // seconds of sound; the browser itself decides when it begins
const LOOK_EVERY = 500;

export class Native {
  #stopped = false;
  #begun = 0;

  static able(element, address) {
    return address.cookies && element.canPlayType(KIND) !== "";
  }

  /** begun(): there is something to play. */
  constructor(element, address, { now, begun }) {
    Object.assign(this, { element, address, now, begun });
  }

  /** A player that finds nothing gives up, so it is not asked before there is something. */
  async start() {
    while (!this.#stopped && !await this.#there()) await new Promise((done) => { setTimeout(done, LOOK_EVERY); });
    if (this.#stopped) return;
    this.element.src = this.address.own;
    this.begun();
  }

  stop() {
    this.#stopped = true;
  }

  /** Seconds between what is said and what is heard of it, where the browser knows (Safari). */
  get delay() {
    const start = this.element.getStartDate?.().getTime();
    return start > 0 ? (Date.now() - start) / 1000 - this.element.currentTime : null;
  }

  async #there() {
    const [first] = ways(await this.address.text("index.m3u8") ?? "");
    const text = first && await this.address.text(first.name);
    return Boolean(text) && beginning(parse(text).segments, ENOUGH).length > 0;
  }
}

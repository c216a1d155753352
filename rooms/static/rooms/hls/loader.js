/** Plays files through MediaSource in browsers without a player of their own: fetches segments and hands them over. */
import { beginning, hop, segmentsIn, ways } from "rooms/hls/playlist.js";

const Source = globalThis.ManagedMediaSource ?? globalThis.MediaSource;  // the first one on iPhones
const LATE = 12;            // seconds: after a longer pause it goes on with what is said now
const KEPT = 10;            // seconds of sound behind what is heard
const AFTER_NEW = 1900, AFTER_NOTHING = 500;  // ms until the next look at the playlist
const LIKED = ["opus", "mp4a.40.2"];          // the one that needs less data comes first

export class Loader {
  static ENOUGH = 3.5;  // seconds of sound to begin with: two segments; the second lasts until the third is there
  #source = new Source();
  #buffer = null;
  #stopped = false;
  #last = -1;
  #init = "";

  static get able() {
    return Source !== undefined;
  }

  /** now(): the server's clock in seconds. zero(): what it showed at 0:00 of what is played. since: what was said until
   *  then has been heard. begun(): there is something to play. read(segments): of a playlist. */
  constructor(element, address, { now, zero, since, begun, read }) {
    Object.assign(this, { element, address, now, zero, since, begun, read });
  }

  async start() {
    this.element.disableRemotePlayback = true;
    this.element.src = URL.createObjectURL(this.#source);
    await new Promise((opened) => { this.#source.onsourceopen = opened; });
    URL.revokeObjectURL(this.element.src);
    const way = await this.#way();
    if (this.#stopped) return;
    this.#buffer = this.#source.addSourceBuffer(`audio/mp4; codecs="${way.codec}"`);
    while (!this.#stopped) await this.#wait(await this.#look(way.name) ? AFTER_NEW : AFTER_NOTHING);
  }

  stop() {
    this.#stopped = true;
  }

  /** When what is heard was said, in seconds since 1970. */
  get heard() {
    return this.#buffer?.buffered.length ? this.zero() + this.element.currentTime : null;
  }

  async #way() {
    for (;;) {
      const offered = ways(await this.address.text("index.m3u8") ?? "");
      const able = offered.filter(({ codec }) => Source.isTypeSupported(`audio/mp4; codecs="${codec}"`));
      if (able.length || this.#stopped) return able.sort((one, other) => liking(one) - liking(other))[0];
      await this.#wait(AFTER_NOTHING);
    }
  }

  /** Fetches what is new. A promise: whether there was anything. */
  async #look(name) {
    const segments = segmentsIn(await this.address.text(name));
    this.read(segments);
    const unheard = segments.filter(({ at, seconds }) => at / 1000 + seconds > this.since);
    const first = this.#last < 0;
    const fresh = first ? beginning(unheard, Loader.ENOUGH) : unheard.filter(({ number }) => number > this.#last);
    for (const segment of fresh) await this.#add(segment);
    return fresh.length > 0;
  }

  async #add({ number, name, init }) {
    const data = await Promise.all([init === this.#init ? null : this.address.data(init), this.address.data(name)]);
    if (this.#stopped || !data[1] || (init !== this.#init && !data[0])) return;
    if (data[0]) await this.#append(data[0]);
    await this.#append(data[1]);
    this.#init = init;
    const first = this.#last < 0;
    this.#last = number;
    this.#keepUp(first);
  }

  async #append(data) {
    if (this.#source.readyState !== "open") return;
    this.#buffer.appendBuffer(data);
    await this.#settled();
    const { currentTime } = this.element;
    if (this.#source.readyState === "open" && currentTime > KEPT) {
      this.#buffer.remove(0, currentTime - KEPT);
      await this.#settled();
    }
  }

  /** Goes to the first sound there is, over a gap in it, or over what was missed while nothing was played. */
  #keepUp(first) {
    const { buffered } = this.#buffer;
    if (!buffered.length) return;
    const ranges = Array.from({ length: buffered.length }, (_, at) => [buffered.start(at), buffered.end(at)]);
    const [, end] = ranges.at(-1);
    if (first) this.element.currentTime = ranges[0][0];
    else if (this.now() - this.heard > LATE) this.element.currentTime = Math.max(ranges.at(-1)[0], end - Loader.ENOUGH);
    else this.#hop(hop(ranges, this.element.currentTime));
    if (first) this.begun();
  }

  #hop(range) {
    if (range) this.element.currentTime = range[0];
  }

  #settled() {
    return new Promise((done) => { this.#buffer.addEventListener("updateend", done, { once: true }); });
  }

  #wait(ms) {
    return new Promise((done) => { setTimeout(done, ms); });
  }
}

const liking = ({ codec }) => LIKED.indexOf(codec);

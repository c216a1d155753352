/** Plays files where the browser does it by itself (Safari, newer Chromium): it stays with one address, see address.js. */
import { beginning, segmentsIn } from "rooms/hls/playlist.js";

const PLAYLIST = "own.m3u8";  // without Opus: given the choice, Chromium 156 changes over to the other one and fails
const KIND = "application/vnd.apple.mpegurl";
const LOOK_EVERY = 500;
const WATCH_EVERY = 250;
const AHEAD = 3;    // seconds of levels before what is heard: where they are less the playlist is read again
const MEASURED = 8; // times, of which the earliest counts

export class Native {
  static SOUND = "aac.m3u8";
  static ENOUGH = 7;  // seconds of sound: with less Chromium 156 gives up, and Safari does not begin
  #stopped = false;
  #end = 0;           // of what the browser has, in seconds of its own
  #zeros = [];        // what the server's clock showed at 0:00 of what is played, as it was measured
  #read = 0;          // seconds since 1970 up to which playlists were read
  #timer = null;

  static able(element, address) {
    return address.cookies && element.canPlayType(KIND) !== "";
  }

  /** begun(): there is something to play; read(segments): of a playlist. */
  constructor(element, address, { begun, read }) {
    Object.assign(this, { element, address, begun, read });
  }

  /** A player that finds nothing gives up, so it is not asked before there is something. */
  async start() {
    while (!this.#stopped && !await this.#there()) await new Promise((done) => { setTimeout(done, LOOK_EVERY); });
    if (this.#stopped) return;
    this.element.src = `${this.address.own(PLAYLIST)}?${Date.now()}`;  // or it may go on with what it had before
    this.begun();
    this.#timer = setInterval(() => this.#watch(), WATCH_EVERY);
  }

  stop() {
    this.#stopped = true;
    clearInterval(this.#timer);
  }

  /** When what is heard was said, in seconds since 1970: as the browser knows it (Safari), else as it was measured. */
  get heard() {
    const start = this.element.getStartDate?.().getTime() / 1000;
    if (start > 0) return start + this.element.currentTime;
    return this.#zeros.length ? Math.min(...this.#zeros) + this.element.currentTime : null;
  }

  /** Just after a segment came in it is the newest one of the playlist, or, for a slow browser, one before that. */
  #watch() {
    const { buffered } = this.element;
    const end = buffered.length ? buffered.end(buffered.length - 1) : 0;
    if (end === this.#end) return;
    this.#end = end;
    if (this.#zeros.length < 3 || this.#read - this.heard < AHEAD) this.#measure(end);
  }

  async #measure(end) {
    const segments = segmentsIn(await this.address.text(Native.SOUND));
    const newest = segments.at(-1);
    if (this.#stopped || !newest) return;
    this.read(segments);
    this.#read = newest.at / 1000 + newest.seconds;
    this.#zeros = [...this.#zeros, this.#read - end].slice(-MEASURED);
  }

  async #there() {
    return beginning(segmentsIn(await this.address.text(Native.SOUND)), Native.ENOUGH).length > 0;
  }
}

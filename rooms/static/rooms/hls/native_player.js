/** Plays files with the browser's own player (Safari, newer Chromium). It keeps one address: see signed_address.js. */
import { beginning, segmentsIn } from "rooms/hls/playlist.js";

const PLAYLIST = "own.m3u8";  // without Opus: with a choice Chromium 156 changes from one codec to the other and fails
const KIND = "application/vnd.apple.mpegurl";
const LOOK_EVERY = 500;
const WATCH_EVERY = 250;
const AHEAD = 3;    // seconds: with levels for less than that, the playlist is read again
const MEASURED = 8; // measurements that are kept; the earliest counts

export class NativePlayer {
  static SOUND = "aac.m3u8";
  static ENOUGH = 7;  // seconds of sound: with less Chromium 156 gives up, and Safari does not begin
  #stopped = false;
  #end = 0;           // of what the browser has, in seconds of its own
  #zeros = [];        // measurements of the server's clock at 0:00 of what is played
  #read = 0;          // seconds since 1970 up to which playlists were read
  #timer = null;

  static able(element, address) {
    return address.cookies && element.canPlayType(KIND) !== "";
  }

  /** begun(): there is something to play. read(segments): of a playlist. */
  constructor(element, address, { begun, read }) {
    Object.assign(this, { element, address, begun, read });
  }

  /** A player that finds nothing gives up, so it starts only once there is something. */
  async start() {
    while (!this.#stopped && !await this.#hasEnough()) await new Promise((done) => { setTimeout(done, LOOK_EVERY); });
    if (this.#stopped) return;
    this.element.src = `${this.address.own(PLAYLIST)}?${Date.now()}`;  // else it may go on with what it had before
    this.begun();
    this.#timer = setInterval(() => this.#watch(), WATCH_EVERY);
  }

  stop() {
    this.#stopped = true;
    clearInterval(this.#timer);
  }

  /** When what is heard was said, in seconds since 1970: from the browser (Safari), else as it was measured. */
  get heard() {
    const start = this.element.getStartDate?.().getTime() / 1000;
    if (start > 0) return start + this.element.currentTime;
    return this.#zeros.length ? Math.min(...this.#zeros) + this.element.currentTime : null;
  }

  /** A segment that has just come in is the newest one of the playlist, or, in a slow browser, one before that. */
  #watch() {
    const { buffered } = this.element;
    const end = buffered.length ? buffered.end(buffered.length - 1) : 0;
    if (end === this.#end) return;
    this.#end = end;
    if (this.#zeros.length < 3 || this.#read - this.heard < AHEAD) this.#measure(end);
  }

  async #measure(end) {
    const segments = segmentsIn(await this.address.text(NativePlayer.SOUND));
    const newest = segments.at(-1);
    if (this.#stopped || !newest) return;
    this.read(segments);
    this.#read = newest.at / 1000 + newest.seconds;
    this.#zeros = [...this.#zeros, this.#read - end].slice(-MEASURED);
  }

  async #hasEnough() {
    const segments = segmentsIn(await this.address.text(NativePlayer.SOUND));
    return beginning(segments, NativePlayer.ENOUGH).length > 0;
  }
}

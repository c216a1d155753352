/** This tab's copy of the Space. Frames keep it up to date; if some are missing it asks for a snapshot. */
import { Resync } from "rooms/wire/resync.js";
import { initial, missed, outdated, reduce, stale } from "rooms/wire/state.js";

const LEVELS_LAST = 1000;

export class Replica {
  state = initial();
  #resync;
  #fading = null;

  /** sync() asks for a snapshot and returns a promise; changed(frame, the state before). */
  constructor({ sync, changed }) {
    this.#resync = new Resync(sync);
    this.changed = changed;
  }

  take(frame) {
    const before = this.state;
    if (missed(before, frame)) return this.#resync.ask();
    if (stale(before, frame)) return undefined;
    this.state = reduce(before, frame);
    if (frame.type === "snapshot") this.#resync.done();
    if (frame.type === "levels") this.#fade();
    if (frame.type === "audience" && outdated(this.state)) this.#resync.askSoon(() => outdated(this.state));
    return this.changed(frame, before);
  }

  /** The connection is gone, and a snapshot that was asked for will not come. */
  lost() {
    this.#resync.done();
  }

  forget() {
    this.state = initial();
  }

  /** Levels come five times a second while a voice is heard. When they stop, all voices are silent. */
  #fade() {
    clearTimeout(this.#fading);
    this.#fading = setTimeout(() => this.take({ type: "levels", levels: {} }), LEVELS_LAST);
  }
}

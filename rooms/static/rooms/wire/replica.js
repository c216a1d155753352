/** The Space as this tab knows it: kept up to date by frames, asked for anew where some are missing. */
import { Resync } from "rooms/wire/resync.js";
import { initial, missed, outdated, reduce, stale } from "rooms/wire/state.js";

const LEVELS_LAST = 1000;

export class Known {
  state = initial();
  #resync;
  #fading = null;

  /** sync(): Promise, asks for a snapshot; changed(frame, the state before). */
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

  /** What only I know already: the snapshot of the next connection says the same. */
  noticeAccepted() {
    this.state = { ...this.state, you: { ...this.state.you, notice_accepted: true } };
  }

  /** The connection over which a snapshot was asked for is gone. */
  lost() {
    this.#resync.done();
  }

  forget() {
    this.state = initial();
  }

  /** Levels come five times a second while somebody is heard; where they stop, nobody is. */
  #fade() {
    clearTimeout(this.#fading);
    this.#fading = setTimeout(() => this.take({ type: "levels", levels: {} }), LEVELS_LAST);
  }
}

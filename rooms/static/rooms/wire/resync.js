/** Asking for a new snapshot: at once where frames are missing, at a moment of one's own where everybody will ask. */

const WITHIN = 4000;

export class Resync {
  #waiting = false;   // for the snapshot
  #timer = null;

  /** send(): Promise, asks the server for a snapshot. */
  constructor(send) {
    this.send = send;
  }

  ask() {
    if (this.#waiting) return;
    this.#waiting = true;
    this.send().catch(() => this.done());
  }

  /** still(): whether there is still something to ask for by then. */
  askSoon(still) {
    this.#timer ??= setTimeout(() => {
      this.#timer = null;
      if (still()) this.ask();
    }, Math.random() * WITHIN);
  }

  /** A snapshot came, or none will come over this connection. */
  done() {
    this.#waiting = false;
  }
}

/** Asks for a new snapshot: at once if frames are missing, at a random moment if every page will ask. */

const WITHIN = 4000;  // ms, over which all pages spread their questions

export class Resync {
  #waiting = false;   // for the snapshot
  #timer = null;

  /** send() asks the server for a snapshot and returns a promise. */
  constructor(send) {
    this.send = send;
  }

  ask() {
    if (this.#waiting) return;
    this.#waiting = true;
    this.send().catch(() => this.done());
  }

  /** still(): whether a snapshot is still needed by then. */
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

/** When to connect again: after a growing, random pause. */

const PAUSES = {
  brisk: [300, 700, 1500, 2000],    // ms; the last one short enough to find a restarted node soon
  full: [30_000],                   // the server says when it is our turn; this is for a frame that was lost
  calm: [15_000, 30_000, 60_000],   // files are heard meanwhile
};

export class Backoff {
  attempt = 0;        // connections since sound was last heard
  #timer = null;

  constructor(connect) {
    this.connect = connect;
  }

  now() {
    clearTimeout(this.#timer);
    this.connect();
  }

  /** `pace`: one of PAUSES. */
  later(pace) {
    const pauses = PAUSES[pace];
    const pause = pauses[Math.min(this.attempt, pauses.length - 1)];
    this.attempt += 1;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.connect(), pause * (0.75 + Math.random() / 2));
  }

  stop() {
    clearTimeout(this.#timer);
  }
}

/** When to dial again: after a growing, jittered pause. */

const PAUSES = {
  brisk: [300, 700, 1500, 2000],    // the last one short enough that a restarted node is found soon
  full: [30_000],                   // the server says whose turn it is; this is for a frame that got lost
  calm: [15_000, 30_000, 60_000],   // the Space is heard as files meanwhile
};

export class Redial {
  attempt = 0;        // dials since sound was last heard
  #timer = null;

  constructor(dial) {
    this.dial = dial;
  }

  now() {
    clearTimeout(this.#timer);
    this.dial();
  }

  /** `pace` is one of PAUSES. */
  later(pace) {
    const pauses = PAUSES[pace];
    const pause = pauses[Math.min(this.attempt, pauses.length - 1)];
    this.attempt += 1;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.dial(), pause * (0.75 + Math.random() / 2));
  }

  stop() {
    clearTimeout(this.#timer);
  }
}

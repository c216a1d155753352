/** When to dial again: after a growing, jittered pause. */

const DELAYS = [300, 700, 1500, 2000];  // the last one short enough that a restarted node is found soon
const FULL_DELAY = 30_000;  // whose turn it is in line is told; this is for words that got lost

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

  /** `full`: there was no place. */
  later({ full }) {
    const delay = full ? FULL_DELAY : DELAYS[Math.min(this.attempt, DELAYS.length - 1)];
    this.attempt += 1;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.dial(), delay * (0.75 + Math.random() / 2));
  }

  stop() {
    clearTimeout(this.#timer);
  }
}

/** Has files prepared beside a connection that brings no sound at first. They are there when it has failed. */
const EARLY_AFTER = 1000;  // ms: a connection that works is faster

export class Early {
  wanted = false;
  #timer;

  constructor(changed) {
    this.changed = changed;
  }

  /** The first connection begins. */
  begin() {
    this.stop();
    this.#timer = setTimeout(() => {
      this.wanted = true;
      this.changed();
    }, EARLY_AFTER);
  }

  /** Sound has come, or files are heard. */
  stop() {
    clearTimeout(this.#timer);
    this.wanted = false;
  }
}

/** Whether sound still arrives: the packets of one peer, counted twice a second. */

const LOOK_EVERY = 500;
const SILENT_AFTER = 2000;
const LONGEST_HANDSHAKE = 12_000;

export class Watch {
  #peer = null;
  #packets = 0;
  #heardAt = 0;
  #patience = SILENT_AFTER;
  #timer = null;

  /** heard(): more has arrived; silent(): nothing has for too long. */
  constructor({ heard, silent }) {
    Object.assign(this, { heard, silent });
  }

  start() {
    this.#timer = setInterval(() => this.#look(), LOOK_EVERY);
  }

  stop() {
    clearInterval(this.#timer);
    this.#peer = null;
  }

  /** A peer that has just got its answer; `attempt` is how many before it brought no sound. Sound that stops is missed
   *  at once; a handshake over a slow network gets longer with every attempt. */
  follow(peer, attempt) {
    this.#peer = peer;
    this.#packets = 0;
    this.#heardAt = performance.now();
    this.#patience = Math.min(SILENT_AFTER * (1 + attempt), LONGEST_HANDSHAKE);
  }

  /** Look at nothing until the next peer has its answer. */
  rest() {
    this.#peer = null;
  }

  async #look() {
    const peer = this.#peer;
    if (!peer) return;
    const packets = await peer.packets();
    if (peer !== this.#peer) return;
    if (packets > this.#packets) this.#note(packets);
    else if (performance.now() - this.#heardAt > this.#patience) this.silent();
  }

  #note(packets) {
    this.#packets = packets;
    this.#heardAt = performance.now();
    this.#patience = SILENT_AFTER;
    this.heard();
  }
}

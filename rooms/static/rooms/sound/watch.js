/** Whether sound still arrives: counts the packets of one peer four times a second. A silent Space sends some, too. */

const LOOK_EVERY = 250;
const DOUBTED_AFTER = 600;    // ms: a silent Space sends a packet every 400 ms, which may come late
const STALLED_AFTER = 1000;
const SILENT_AFTER = 2000;
const LONGEST_HANDSHAKE = 12_000;

export class Watch {
  #peer = null;
  #packets = 0;
  #heardAt = 0;
  #patience = SILENT_AFTER;
  #doubted = false;
  #stalled = false;
  #timer = null;

  /** heard(): packets have arrived. doubted(): none for a moment; stalled(): none for a second. Both are called once.
   *  silent(): none for too long. */
  constructor({ heard, doubted, stalled, silent }) {
    Object.assign(this, { heard, doubted, stalled, silent });
  }

  start() {
    this.#timer = setInterval(() => this.#look(), LOOK_EVERY);
  }

  stop() {
    clearInterval(this.#timer);
    this.#peer = null;
  }

  /** Counts for this peer, which has just got its answer. `attempt`: how many connections before it brought no sound.
   *  Each attempt gets more time for the handshake, which is slow on a slow network. */
  follow(peer, attempt) {
    this.#peer = peer;
    this.#packets = 0;
    this.#heardAt = performance.now();
    this.#doubted = this.#stalled = false;
    this.#patience = Math.min(SILENT_AFTER * (1 + attempt), LONGEST_HANDSHAKE);
  }

  /** Counts for none until the next peer has its answer. */
  rest() {
    this.#peer = null;
  }

  async #look() {
    const peer = this.#peer;
    if (!peer) return;
    const packets = await peer.packets();
    if (peer !== this.#peer) return;
    if (packets > this.#packets) this.#note(packets);
    else this.#miss(performance.now() - this.#heardAt);
  }

  #miss(milliseconds) {
    if (milliseconds > DOUBTED_AFTER && this.#packets && !this.#doubted) {
      this.#doubted = true;
      this.doubted();
    }
    if (milliseconds > STALLED_AFTER && this.#packets && !this.#stalled) {
      this.#stalled = true;
      this.stalled();
    } else if (milliseconds > this.#patience) {
      this.silent();
    }
  }

  #note(packets) {
    this.#packets = packets;
    this.#heardAt = performance.now();
    this.#patience = SILENT_AFTER;
    this.#doubted = this.#stalled = false;
    this.heard();
  }
}

/** Moves the sound to another media node: makes the connection there before it gives up the one here. */

const LOOK_EVERY = 50;
const LONGEST_STEP = 15_000;    // ms: then the next step is taken without waiting for the server

export class Move {
  #next = null;         // the connection on the new node, until it is heard
  #old = null;          // the one that was heard before; the microphone is still sent there, too
  #heard = false;       // the new one is heard
  #track = null;
  #timer = null;
  #ended = false;

  /** make(heard) returns a Peer. dial(peer) connects it. adopt(peer, track) plays it from now on and returns the one
   *  that was heard before. ended(moved): the move is complete, or has failed. */
  constructor({ make, dial, adopt, ended }) {
    Object.assign(this, { make, dial, adopt, ended });
  }

  /** The connections to which the microphone is sent besides the one that is heard. */
  get peers() {
    return [this.#next, this.#old].filter(Boolean);
  }

  /** Takes one of the three steps of `sound_moving`. Listeners spread theirs over `within` seconds. */
  step(step, within, onStage) {
    clearTimeout(this.#timer);
    const next = { stage: "all", all: "over" }[step];
    const longest = LONGEST_STEP + (step === "all" ? within * 1000 : 0);
    if (next) this.#timer = setTimeout(() => this.step(next, within, onStage), longest);
    if (step === "stage" && onStage) this.#open();
    if (step === "all") this.#hear(within, onStage);
    if (step === "over") this.#finish();
  }

  end() {
    this.#ended = true;
    clearTimeout(this.#timer);
    this.peers.forEach((peer) => peer.close());
    this.#next = this.#old = null;
  }

  async #hear(within, onStage) {
    if (!onStage) await wait(Math.random() * within * 1000);
    this.#open();
    while (!this.#ended && this.#next && !await this.#arrives()) await wait(LOOK_EVERY);
    if (this.#ended || !this.#next) return;
    const peer = this.#next;
    this.#next = null;
    this.#heard = true;
    this.#old = this.adopt(peer, this.#track);
    if (!onStage) this.#drop();
  }

  async #arrives() {
    return this.#track !== null && await this.#next.packets() > 0;
  }

  #open() {
    if (this.#next || this.#heard || this.#ended) return;
    const peer = this.make((track) => { this.#track = track; });
    this.#next = peer;
    this.dial(peer).catch(() => this.failed(peer));
  }

  /** One of the `peers` has failed. */
  failed(peer) {
    peer.close();
    if (peer === this.#next) this.#next = null;
    if (peer === this.#old) this.#old = null;
  }

  #drop() {
    this.#old?.close();
    this.#old = null;
  }

  #finish() {
    this.end();
    this.ended(this.#heard);
  }
}

const wait = (milliseconds) => new Promise((resolve) => { setTimeout(resolve, milliseconds); });

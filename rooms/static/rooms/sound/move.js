/** The sound goes to another media node: the connection there is made before the one here is given up. */

const LOOK_EVERY = 50;
const LONGEST_STEP = 15_000;    // after that the next step is taken without a word of the server

export class Move {
  #next = null;         // the connection on the new node, until it is heard
  #old = null;          // the one that was heard before: the microphone still goes there, too
  #heard = false;       // the new one
  #track = null;
  #timer = null;
  #ended = false;

  /** make(heard) -> Peer; dial(peer): connect it; adopt(peer, track): it is heard from now on, the answer is the one that
   *  was heard before; over(moved): it is done, or nothing came of it. */
  constructor({ make, dial, adopt, over }) {
    Object.assign(this, { make, dial, adopt, over });
  }

  /** Where the microphone goes besides the connection that is heard. */
  get peers() {
    return [this.#next, this.#old].filter(Boolean);
  }

  /** One of the three steps of `sound_moving`; `within` seconds is the time over which all listeners spread theirs. */
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
    while (!this.#ended && this.#next && !(this.#track && await this.#next.packets() > 0)) await wait(LOOK_EVERY);
    if (this.#ended || !this.#next) return;
    const peer = this.#next;
    this.#next = null;
    this.#heard = true;
    this.#old = this.adopt(peer, this.#track);
    if (!onStage) this.#drop();
  }

  #open() {
    if (this.#next || this.#heard || this.#ended) return;
    const peer = this.make((track) => { this.#track = track; });
    this.#next = peer;
    this.dial(peer).catch(() => this.failed(peer));
  }

  /** Nothing comes of one of the `peers` any more. */
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
    this.over(this.#heard);
  }
}

const wait = (milliseconds) => new Promise((resolve) => { setTimeout(resolve, milliseconds); });

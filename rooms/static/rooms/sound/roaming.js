/** Keeps a connection through a change of network: restarts ICE over the socket before a new connection is made. */

const PATIENCE = 700;          // ms for sound after an answer, before the next try; half as long again after each
const LOOK_AGAIN = 200;        // ms: a browser may know the new network only seconds after the old one is gone
const ANSWER_WITHIN = 1500;
const HOLDS_FOR = 10_000;

export class Roaming {
  #peer = null;
  #busy = null;         // the peer whose offer is under way
  #timer = null;
  #since = null;        // when the first try since sound was last heard began
  #askedAt = 0;
  #answers = 0;
  #hopes = false;       // the node has answered, or cannot be asked yet
  #waits = false;       // for the socket
  #network = navigator.connection?.type;  // not every browser has it

  /** offer(sdp, boot) returns a promise of the answer {sdp} of the boot that has the connection. lost(): the node no
   *  longer has it. */
  constructor({ offer, lost }) {
    Object.assign(this, { offer, lost });
  }

  start() {
    addEventListener("online", this.restart);
    navigator.connection?.addEventListener("change", this.#changed);
  }

  stop() {
    removeEventListener("online", this.restart);
    navigator.connection?.removeEventListener("change", this.#changed);
    this.follow(null);
  }

  /** Keeps this peer, which has its answer, from now on; null for none. */
  follow(peer) {
    this.#peer = peer;
    this.calm();
  }

  /** Sound arrives. */
  calm() {
    clearTimeout(this.#timer);
    this.#since = null;
    this.#answers = 0;
    this.#hopes = this.#waits = false;
  }

  /** Whether a silent connection is still worth keeping, because a new one would fare no better. */
  get holds() {
    const now = performance.now();
    if (this.#since === null || now - this.#since > HOLDS_FOR) return false;
    return this.#hopes || (this.#busy === this.#peer && now - this.#askedAt < ANSWER_WITHIN);
  }

  /** The socket is connected again. */
  resume() {
    if (this.#waits) this.restart();
  }

  restart = async () => {
    const peer = this.#peer;
    if (!peer || this.#busy === peer) return;
    clearTimeout(this.#timer);
    this.#busy = peer;
    this.#askedAt = performance.now();
    this.#since ??= this.#askedAt;
    const refusal = await peer.restart(this.offer).then(() => null, (error) => error.code ?? "failed");
    if (this.#busy === peer) this.#busy = null;
    if (peer === this.#peer && this.#since !== null) this.#next(refusal);
  };

  #next(refusal) {
    this.#waits = refusal === "offline" || refusal === "no_answer";
    this.#hopes = refusal === null || refusal === "no_network" || this.#waits;
    if (refusal === "no_node") return;  // a new connection would fare no better yet
    if (!this.#hopes) this.lost();
    else if (refusal === "no_network") this.#timer = setTimeout(this.restart, LOOK_AGAIN);
    else if (!this.#waits) this.#timer = setTimeout(this.restart, PATIENCE * 1.5 ** this.#answers++);
  }

  /** The event also comes with every change of the estimated speed. */
  #changed = () => {
    const before = this.#network;
    this.#network = navigator.connection.type;
    if (this.#network !== before && this.#network !== "none") this.restart();
  };
}

/** Tries a connection now and then while files are heard because none brought sound. Says when one does. */
import { Backoff } from "rooms/sound/backoff.js";
import { Peer } from "rooms/sound/peer.js";
import { Watch } from "rooms/sound/watch.js";

export class Trial {
  #peer = null;       // of the try under way
  #backoff = new Backoff(() => this.#dial());
  #watch = new Watch({ heard: () => this.#worked(), silent: () => this.#failed(), doubted() {}, stalled() {} });

  /** offer(sdp), servers(): as in Sound. changed(): a try began or ended. */
  constructor({ offer, servers, changed }) {
    Object.assign(this, { offer, servers, changed });
  }

  /** Whether a try is under way. */
  get tries() { return this.#peer !== null; }

  /** works() is called when packets of sound have arrived. Nothing of them is played. */
  start(works) {
    this.stop();
    this.works = works;
    this.#backoff.attempt = 0;
    this.#watch.start();
    this.#backoff.later("calm");
  }

  stop() {
    this.#backoff.stop();
    this.#watch.stop();
    this.#close();
  }

  /** Tries at once. */
  now() {
    if (!this.tries) this.#backoff.now();
  }

  async #dial() {
    const failed = () => peer === this.#peer && this.#failed();
    const peer = new Peer({ heard() {}, unsteady() {}, failed, servers: this.servers });
    this.#peer = peer;
    this.changed();
    try {
      await peer.dial(() => null, this.offer);
      if (peer === this.#peer) this.#watch.follow(peer, this.#backoff.attempt);
    } catch {
      failed();
    }
  }

  #worked() {
    this.stop();
    this.works();
  }

  #failed() {
    this.#watch.rest();
    this.#close();
    this.#backoff.later("calm");
    this.changed();
  }

  #close() {
    this.#peer?.close();
    this.#peer = null;
  }
}

/** While files are heard because no connection brought sound: tries one now and then, and says once one does. */
import { Peer } from "rooms/sound/peer.js";
import { Redial } from "rooms/sound/backoff.js";
import { Watch } from "rooms/sound/watch.js";

export class Trial {
  #peer = null;       // of the try under way
  #redial = new Redial(() => this.#dial());
  #watch = new Watch({ heard: () => this.#worked(), silent: () => this.#failed(), doubted() {}, stalled() {} });

  /** offer(sdp), servers(): as Sound has them; changed(): a try began or ended. */
  constructor({ offer, servers, changed }) {
    Object.assign(this, { offer, servers, changed });
  }

  /** Whether a try is under way. */
  get tries() { return this.#peer !== null; }

  /** works(): packets of sound have arrived, of which nothing was played. */
  start(works) {
    this.stop();
    this.works = works;
    this.#redial.attempt = 0;
    this.#watch.start();
    this.#redial.later("calm");
  }

  stop() {
    this.#redial.stop();
    this.#watch.stop();
    this.#close();
  }

  /** Once now. */
  now() {
    if (!this.tries) this.#redial.now();
  }

  async #dial() {
    const failed = () => peer === this.#peer && this.#failed();
    const peer = new Peer({ heard() {}, unsteady() {}, failed, servers: this.servers });
    this.#peer = peer;
    this.changed();
    try {
      await peer.dial(() => null, this.offer);
      if (peer === this.#peer) this.#watch.follow(peer, this.#redial.attempt);
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
    this.#redial.later("calm");
    this.changed();
  }

  #close() {
    this.#peer?.close();
    this.#peer = null;
  }
}

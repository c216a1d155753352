/** Looks after the connection that is heard: misses its packets, restarts it over another network, says when it is lost. */
import { Roaming } from "rooms/sound/roaming.js";
import { Watch } from "rooms/sound/watch.js";

export class Keeper {
  #roaming = new Roaming({ offer: (sdp, node) => this.offer(sdp, node), lost: () => this.lost() });
  #watch = new Watch({
    heard: () => this.#heard(), doubted: () => this.doubted(), stalled: () => this.restart(), silent: () => this.silent(),
  });

  /** offer(sdp, node) -> Promise of {sdp}, of the node that has the connection; heard(): sound arrives; doubted(): perhaps
   *  the network is gone; missed(): nothing comes, and it is worth waiting; lost(): nothing will. */
  constructor({ offer, heard, doubted, missed, lost }) {
    Object.assign(this, { offer, heard, doubted, missed, lost });
  }

  start() {
    this.#watch.start();
    this.#roaming.start();
  }

  stop() {
    this.#watch.stop();
    this.#roaming.stop();
  }

  /** Keep this peer, which has its answer; `attempt` is how many before it brought no sound. */
  follow(peer, attempt) {
    this.#watch.follow(peer, attempt);
    this.#roaming.follow(peer);
  }

  /** Keep none until the next one has its answer. */
  rest() {
    this.#watch.rest();
    this.#roaming.follow(null);
  }

  restart() {
    this.#roaming.restart();
  }

  /** The socket is there again. */
  resume() {
    this.#roaming.resume();
  }

  /** Nothing has come for too long. */
  silent() {
    if (this.#roaming.holds) this.missed();
    else this.lost();
  }

  #heard() {
    this.#roaming.calm();
    this.heard();
  }
}

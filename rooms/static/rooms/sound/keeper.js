/** Supervises the connection that is heard: notices missing packets, restarts ICE, gives the connection up. */
import { Roaming } from "rooms/sound/roaming.js";
import { Watch } from "rooms/sound/watch.js";

export class Keeper {
  #roaming = new Roaming({ offer: (sdp, boot) => this.offer(sdp, boot), lost: () => this.lost() });
  #watch = new Watch({
    heard: () => this.#heard(),
    doubted: () => this.doubted(),
    stalled: () => this.restart(),
    silent: () => this.silent(),
  });

  /** offer(sdp, boot) returns a promise of the answer {sdp} of the boot that has the connection. heard(): sound comes.
   *  doubted(): the network may be gone. missed(): nothing comes, and waiting may help. lost(): nothing will come. */
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

  /** Supervises this peer, which has its answer. `attempt`: how many connections before it brought no sound. */
  follow(peer, attempt) {
    this.#watch.follow(peer, attempt);
    this.#roaming.follow(peer);
  }

  /** Supervises none until the next one has its answer. */
  rest() {
    this.#watch.rest();
    this.#roaming.follow(null);
  }

  restart() {
    this.#roaming.restart();
  }

  /** The socket is connected again. */
  resume() {
    this.#roaming.resume();
  }

  /** No packet has come for too long. */
  silent() {
    if (this.#roaming.holds) this.missed();
    else this.lost();
  }

  #heard() {
    this.#roaming.calm();
    this.heard();
  }
}

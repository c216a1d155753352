/** The connections of a page: the one that is heard, and a second one while the sound moves to another node. */
import { Keeper } from "rooms/sound/keeper.js";
import { Move } from "rooms/sound/move.js";
import { Peer } from "rooms/sound/peer.js";

export class Peers {
  #peer = null;
  #track = null;
  #move = null;       // while the sound goes to another node and both are connected
  #keeper;

  /** offer(sdp, kept) returns a promise of the answer {sdp, boot}; `kept`: the boot that has the connection already.
   *  servers() returns a promise of TURN servers. play(track) plays this one from now on. The rest is as in Keeper. */
  constructor({ offer, servers, play, ...kept }) {
    Object.assign(this, { offer, servers, play });
    this.#keeper = new Keeper({ offer, ...kept });
  }

  /** The boot that answered the connection that is heard; null before its answer, undefined without a connection. */
  get boot() { return this.#peer?.boot; }

  get moves() { return this.#move !== null; }

  start() { this.#keeper.start(); }

  stop() {
    this.#keeper.stop();
    this.close();
    this.#track = null;
  }

  /** Makes one new connection. A promise of true once it is answered, of false if another one took its place before.
   *  Rejects with the code of a refusal. `attempt`: how many connections before it brought no sound. */
  async dial(attempt) {
    this.close();
    const peer = this.#make((track) => this.play(track));
    this.#peer = peer;
    try {
      await this.#connect(peer);
    } catch (error) {
      if (peer === this.#peer) throw error;
    }
    if (peer !== this.#peer) return false;
    this.#keeper.follow(peer, attempt);
    return true;
  }

  close() {
    this.#keeper.rest();
    this.stay();
    this.#peer?.close();
    this.#peer = null;
  }

  /** Sends the track of the microphone; null for nothing. A connection that replaces this one sends it, too. */
  async send(track) {
    this.#track = track;
    const peer = this.#peer;
    try {
      await Promise.all(this.#all.map((one) => one.send(track)));
    } catch (error) {
      if (peer === this.#peer) throw error;
    }
  }

  /** Gives TURN servers with new credentials to all connections. */
  use(servers) {
    this.#all.forEach((peer) => peer.use(servers));
  }

  /** The socket is connected again. */
  resume() { this.#keeper.resume(); }

  /** One step of a move to another node; failed() is called if the move fails. */
  move({ step, within }, onStage, failed) {
    this.#move ??= new Move({
      make: (heard) => this.#make(heard), dial: (peer) => this.#connect(peer),
      adopt: (peer, track) => this.#adopt(peer, track),
      ended: (moved) => {
        this.#move = null;
        if (!moved) failed();
      },
    });
    this.#move.step(step, within, onStage);
  }

  /** Ends a move that is under way. */
  stay() {
    this.#move?.end();
    this.#move = null;
  }

  get #all() {
    return [this.#peer, ...this.#move?.peers ?? []].filter(Boolean);
  }

  #make(heard) {
    const failed = () => (peer === this.#peer ? this.#keeper.silent() : this.#move?.failed(peer));
    const unsteady = () => peer === this.#peer && this.#keeper.restart();
    const peer = new Peer({ heard, unsteady, failed, servers: this.servers });
    return peer;
  }

  #connect(peer) {
    return peer.dial(() => this.#track, this.offer);
  }

  #adopt(peer, track) {
    const before = this.#peer;
    this.#peer = peer;
    this.#keeper.follow(peer, 0);
    this.play(track);
    return before;
  }
}

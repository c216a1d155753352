/** The sound: one peer, one <audio> element, and a watch that brings the sound back when it dies. */
import { Move } from "rooms/move.js";
import { Peer } from "rooms/peer.js";
import { Roaming } from "rooms/roaming.js";
import { Watch } from "rooms/watch.js";

const DELAYS = [300, 700, 1500, 2000];  // the last one short enough that a restarted node is found soon
const FULL_DELAY = 30_000;  // whose turn it is in line is told; this is for words that got lost

export class Sound {
  state = "off";      // off, connecting, live, reconnecting, full
  attempt = 0;        // dials since sound was last heard
  place = 0;          // in the line of those who wait because all is full
  blocked = false;    // the browser wants a click before it plays
  #peer = null;
  #track = null;
  #move = null;       // while the sound goes to another node and both are connected
  #movedTo = null;    // the node that the sound moved to since the present dial began
  #timer = null;
  #roaming = new Roaming({ offer: (sdp, node) => this.offer(sdp, node), lost: () => this.#again() });
  #watch = new Watch({
    heard: () => this.#heard(), doubted: () => this.doubted(), stalled: () => this.#roaming.restart(),
    silent: () => this.#silent(),
  });

  /** offer(sdp, kept) -> Promise of {sdp, node}, the answer; kept: the node that has the connection already; changed() is called after every change of what is public
   *  here; servers() -> Promise of the TURN servers; doubted(): perhaps the network is gone. */
  constructor(element, offer, changed, servers = async () => [], doubted = () => {}) {
    Object.assign(this, { element, offer, changed, servers, doubted });
    element.addEventListener("pause", () => this.#paused());
  }

  /** Inside the click: later streams may then play without one. */
  ready() {
    this.element.play().catch(() => {});
  }

  connect() {
    this.ready();
    this.attempt = 0;
    this.#watch.start();
    this.#roaming.start();
    this.#set("connecting");
    this.#dial();
  }

  disconnect() {
    this.#watch.stop();
    this.#roaming.stop();
    clearTimeout(this.#timer);
    this.#close();
    this.#track = this.element.srcObject = null;
    this.blocked = false;
    this.#set("off");
  }

  /** What the microphone sends; null for nothing. A connection that replaces this one takes it along. */
  async send(track) {
    this.#track = track;
    const peer = this.#peer;
    try {
      await Promise.all([peer, ...this.#move?.peers ?? []].map((one) => one?.send(track)));
    } catch (error) {
      if (peer === this.#peer) throw error;
    }
  }

  /** The socket is there again. */
  resume() {
    this.#roaming.resume();
  }

  /** TURN servers with new credentials, for the connections that there are. */
  use(servers) {
    [this.#peer, ...this.#move?.peers ?? []].forEach((peer) => peer?.use(servers));
  }

  /** The sound has moved to this node; if that is ours, it stays there, whatever was under way. */
  renew(node) {
    this.#movedTo = node;
    if (this.#peer?.node === node) this.#stay();
    this.#follow();
  }

  /** The sound is moving to a node, step by step, and is heard all the time; where it is not heard, one dials there. */
  moving({ node, step, within }, onStage) {
    if (!this.#peer || (!this.#move && this.#peer.node === node)) return;
    if (!this.#move && (this.#peer.node === null || this.state !== "live")) {
      this.renew(node);
      return;
    }
    this.#move ??= new Move({
      make: (heard) => this.#make(heard),
      dial: (peer) => peer.dial(() => this.#track, this.offer),
      adopt: (peer, track) => this.#adopt(peer, track),
      over: (moved) => {
        this.#move = null;
        if (!moved) this.renew(node);
      },
    });
    this.#move.step(step, within, onStage);
  }

  #stay() {
    this.#move?.end();
    this.#move = null;
  }

  #adopt(peer, track) {
    const before = this.#peer;
    this.#peer = peer;
    this.#watch.follow(peer, 0);
    this.#roaming.follow(peer);
    this.#listen(track);
    return before;
  }

  /** My place in the line of those who wait; 0: it is my turn, or I need not wait any more. */
  wait(place) {
    this.place = place;
    if (place === 0 && this.state === "full") this.#dialNow();
    this.changed();
  }

  #dialNow() {
    clearTimeout(this.#timer);
    this.#dial();
  }

  /** Dial anew at once where the sound is on another node. An offer under way is waited for: its answer may well come
   *  from there, and whoever made the sound move is told, too. */
  #follow() {
    const at = this.#peer?.node;
    if (this.state === "off" || !this.#movedTo || at === null || at === this.#movedTo) return;
    this.#set("reconnecting");
    this.#dialNow();
  }

  async play() {
    try {
      await this.element.play();
      this.blocked = false;
    } catch (error) {
      if (error.name !== "NotAllowedError") return;  // a newer stream took over, or this one cannot be played
      this.blocked = true;
    }
    this.changed();
  }

  /** By a headset, a call, the lock screen: it goes on with a click. */
  #paused() {
    const { ended, paused, src } = this.element;
    if (ended || !paused || !(src || this.state === "live")) return;
    this.blocked = true;
    this.changed();
  }

  #make(heard) {
    const failed = () => (peer === this.#peer ? this.#silent() : this.#move?.failed(peer));
    const unsteady = () => peer === this.#peer && this.#roaming.restart();
    const peer = new Peer({ heard, unsteady, failed, servers: this.servers });
    return peer;
  }

  async #dial() {
    this.#close();
    const peer = this.#make((track) => this.#listen(track));
    this.#peer = peer;
    this.#movedTo = null;
    try {
      await peer.dial(() => this.#track, this.offer);
      if (peer !== this.#peer) return;
      this.#watch.follow(peer, this.attempt);
      this.#roaming.follow(peer);
      this.#follow();
    } catch (error) {
      if (peer === this.#peer) this.#again(error.code);
    }
  }

  #listen(track) {
    this.element.srcObject = new MediaStream([track]);
    this.play();
  }

  #heard() {
    this.attempt = this.place = 0;
    this.#roaming.calm();
    if (this.state !== "live") this.#set("live");
  }

  #silent() {
    if (!this.#roaming.holds) this.#again();
    else if (this.state === "live") this.#set("reconnecting");
  }

  /** Dial again after a growing, jittered pause. */
  #again(code) {
    this.#close();
    const delay = code === "full" ? FULL_DELAY : DELAYS[Math.min(this.attempt, DELAYS.length - 1)];
    this.attempt += 1;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#dial(), delay * (0.75 + Math.random() / 2));
    this.#set(code === "full" ? "full" : "reconnecting");
  }

  #close() {
    this.#watch.rest();
    this.#roaming.follow(null);
    this.#stay();
    this.#peer?.close();
    this.#peer = null;
  }

  #set(state) {
    this.state = state;
    this.changed();
  }
}

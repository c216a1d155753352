/** The sound of the Space that one is in: brought by one of its media nodes, and brought back when it dies. */
import { Peers } from "rooms/sound/peers.js";
import { Player } from "rooms/sound/player.js";
import { Redial } from "rooms/sound/backoff.js";

export class Sound {
  state = "off";      // off, connecting, live, reconnecting, full
  place = 0;          // in the line of those who wait because all is full
  unheard = 0;        // connections that a node answered since sound was last heard, with the one under way
  #movedTo = null;    // the boot that the sound moved to since the present dial began
  #redial = new Redial(() => this.#dial());
  #player;
  #peers;

  /** offer(sdp, kept) -> Promise of {sdp, boot}, the answer; kept: the boot that has the connection already; changed():
   *  after every change of what is public here; servers() -> Promise of TURN servers; doubted(): is the network gone? */
  constructor(element, offer, changed, servers = async () => [], doubted = () => {}) {
    this.changed = changed;
    this.#player = new Player(element, { changed, expected: () => this.state === "live" });
    this.#peers = new Peers({
      offer, servers, doubted, play: (track) => this.#player.hear(track), heard: () => this.#heard(),
      missed: () => this.#missed(), lost: () => this.#again(),
    });
  }

  /** Dials since sound was last heard. */
  get attempt() { return this.#redial.attempt; }
  /** Whether the browser wants a click before it plays. */
  get blocked() { return this.#player.blocked; }
  /** Inside the click: later streams may then play without one. */
  ready() { this.#player.ready(); }
  play() { return this.#player.play(); }

  connect() {
    this.ready();
    this.#redial.attempt = this.unheard = 0;
    this.#peers.start();
    this.#set("connecting");
    this.#dial();
  }

  disconnect() {
    this.#redial.stop();
    this.#peers.stop();
    this.#player.rest();
    this.unheard = 0;
    this.#set("off");
  }

  /** What the microphone sends; null for nothing. */
  send(track) { return this.#peers.send(track); }
  /** TURN servers with new credentials. */
  use(servers) { this.#peers.use(servers); }
  /** The socket is there again. */
  resume() { this.#peers.resume(); }

  /** The sound has moved to this boot; if that is ours, it stays there, whatever was under way. */
  renew(boot) {
    this.#movedTo = boot;
    if (this.#peers.boot === boot) this.#peers.stay();
    this.#follow();
  }

  /** By a snapshot: whoever has another connection, and no second one, missed that the sound moved. */
  placed(boot) {
    const { boot: mine, moves } = this.#peers;
    if (boot && mine && mine !== boot && !moves) this.renew(boot);
  }

  /** The sound is moving to a node, step by step, and is heard all the time; where it is not heard, one dials there. */
  moving(frame, onStage) {
    const { boot, moves } = this.#peers;
    if (!moves && (boot === undefined || boot === frame.boot)) return;
    if (moves || (boot && this.state === "live")) this.#peers.move(frame, onStage, () => this.renew(frame.boot));
    else this.renew(frame.boot);
  }

  /** My place in the line of those who wait; 0: it is my turn, or I need not wait any more. */
  wait(place) {
    this.place = place;
    if (place === 0 && this.state === "full") this.#redial.now();
    this.changed();
  }

  async #dial() {
    this.#movedTo = null;
    try {
      if (!await this.#peers.dial(this.attempt)) return;
      this.unheard += 1;
      this.changed();
      this.#follow();
    } catch (error) {
      this.#again(error.code);
    }
  }

  /** Dial anew at once where the sound is on another node. An offer under way is waited for: its answer may well come
   *  from there, and whoever made the sound move is told, too. */
  #follow() {
    const { boot } = this.#peers;
    if (this.state === "off" || !this.#movedTo || boot === null || boot === this.#movedTo) return;
    this.#set("reconnecting");
    this.#redial.now();
  }

  #heard() {
    this.#redial.attempt = this.place = this.unheard = 0;
    if (this.state !== "live") this.#set("live");
  }

  #missed() {
    if (this.state === "live") this.#set("reconnecting");
  }

  #again(code) {
    const full = code === "full";
    this.#peers.close();
    this.#redial.later(full ? "full" : "brisk");
    this.#set(full ? "full" : "reconnecting");
  }

  #set(state) {
    this.state = state;
    this.changed();
  }
}

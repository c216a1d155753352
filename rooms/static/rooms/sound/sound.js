/** The sound of the Space one is in: comes from one of its media nodes, and comes back when that node dies. */
import { Backoff } from "rooms/sound/backoff.js";
import { Follower } from "rooms/sound/follower.js";
import { Peers } from "rooms/sound/peers.js";
import { Player } from "rooms/sound/player.js";

export class Sound {
  state = "off";      // off, connecting, live, reconnecting, full
  place = 0;          // in the queue for a place in the sound; 0 outside it
  unheard = 0;        // connections that a node answered since sound was last heard, with the one under way
  impossible = false; // the browser has no WebRTC
  #backoff = new Backoff(() => this.#dial());
  #player;
  #peers;

  /** offer(sdp, kept) returns a promise of the answer {sdp, boot}; `kept`: the boot that has the connection already.
   *  changed() is called after every change of what is public here. servers() returns a promise of TURN servers.
   *  doubted(): the network may be gone. */
  constructor(element, offer, changed, servers = async () => [], doubted = () => {}) {
    this.changed = changed;
    this.#player = new Player(element, { changed, expected: () => this.state === "live" });
    this.#peers = new Peers({
      offer, servers, doubted, play: (track) => this.#player.hear(track), heard: () => this.#heard(),
      missed: () => this.#missed(), lost: () => this.#again(),
    });
    this.follower = new Follower({ peers: this.#peers, state: () => this.state, connect: () => this.#reconnect() });
  }

  /** Connections since sound was last heard. */
  get attempt() { return this.#backoff.attempt; }

  /** Whether the browser waits for a click before it plays. */
  get blocked() { return this.#player.blocked; }

  /** Call this inside a click. Later streams may then play without one. */
  ready() { this.#player.ready(); }

  play() { return this.#player.play(); }

  connect() {
    this.ready();
    this.#backoff.attempt = this.unheard = 0;
    this.#peers.start();
    this.#set("connecting");
    this.#dial();
  }

  disconnect() {
    this.#backoff.stop();
    this.#peers.stop();
    this.#player.rest();
    this.unheard = 0;
    this.#set("off");
  }

  /** Sends the track of the microphone; null for nothing. */
  send(track) { return this.#peers.send(track); }

  /** TURN servers with new credentials. */
  use(servers) { this.#peers.use(servers); }

  /** The socket is connected again. */
  resume() { this.#peers.resume(); }

  /** My place in the queue; 0 if it is my turn, or if I no longer wait. */
  wait(place) {
    this.place = place;
    if (place === 0 && this.state === "full") this.#backoff.now();
    this.changed();
  }

  async #dial() {
    this.follower.begin();
    try {
      if (!await this.#peers.dial(this.attempt)) return;
      this.unheard += 1;
      this.changed();
      this.follower.follow();
    } catch (error) {
      this.#again(error.code);
    }
  }

  #reconnect() {
    this.#set("reconnecting");
    this.#backoff.now();
  }

  #heard() {
    this.#backoff.attempt = this.place = this.unheard = 0;
    if (this.state !== "live") this.#set("live");
  }

  #missed() {
    if (this.state === "live") this.#set("reconnecting");
  }

  #again(code) {
    const full = code === "full";
    this.impossible = code === "no_webrtc";
    this.#peers.close();
    this.#backoff.later(full ? "full" : this.impossible ? "calm" : "brisk");
    this.#set(full ? "full" : "reconnecting");
  }

  #set(state) {
    this.state = state;
    this.changed();
  }
}

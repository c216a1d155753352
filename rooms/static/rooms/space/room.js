/** The one Space this tab is in. It stands outside <main>, so that pages come and go while the sound goes on. */
import { socketUrl } from "frame/facts.js";
import { Listening } from "rooms/hls/listening.js";
import { Microphone } from "rooms/microphone/microphone.js";
import { Signalling } from "rooms/space/signalling.js";
import { Replica } from "rooms/wire/replica.js";
import { Refused, Socket } from "rooms/wire/socket.js";
import { patience } from "rooms/wire/state.js";

export class Room {
  space = null;
  phase = "idle";       // idle, joining, live, reconnecting, closed
  closed = null;        // why: left, or one of FINAL_CLOSES
  attempt = 0;          // of the reconnecting socket
  microphone = new Microphone();
  #socket = null;
  #replica = new Replica({ sync: () => this.send("sync"), changed: (...change) => this.#changed(...change) });
  #signalling;
  #views = new Set();

  constructor(audio) {
    this.#signalling = new Signalling(this, audio);
    this.sound = this.#signalling.sound;
    this.listening = new Listening(this, audio, this.#signalling.trial);
    addEventListener("pagehide", () => this.#close("left"));  // without `leave`: after a reload the place is still kept
  }

  get state() {
    return this.#replica.state;
  }

  /** True from the click until the Space is left, lost for good, or ended. */
  get inside() {
    return this.phase === "joining" || this.phase === "live" || this.phase === "reconnecting";
  }

  /** view(room, frame or null, the state before) is called after every change. Returns the function that ends that. */
  subscribe(view) {
    this.#views.add(view);
    view(this, null, this.state);
    return () => this.#views.delete(view);
  }

  /** Connects websocket and sound at once. Call this inside the click, or the browser may not play. */
  enter(space) {
    if (this.inside && this.space === space) return;
    if (this.inside) this.leave();
    Object.assign(this, { space, phase: "joining", closed: null, attempt: 0 });
    this.#replica.forget();
    this.#signalling.begin();
    this.#socket = new Socket(socketUrl(`/ws/spaces/${space}/`), {
      frame: (frame) => this.#replica.take(frame),
      lost: (attempt) => this.#lost(attempt),
      closed: (why) => this.#close(why),
    });
    this.#socket.connect();
    this.listening.enter();
  }

  /** Something has changed without a frame. */
  redraw() {
    this.#tell(null, this.state);
  }

  leave() {
    if (!this.inside) return;
    this.send("leave").catch(() => {});  // the socket that closes says the same
    this.#close("left");
  }

  /** Sends a command. Rejects with Refused. */
  send(type, fields) {
    if (!this.inside) return Promise.reject(new Refused("not_in_the_space", gettext("You are not in this Space.")));
    return this.#socket.send(type, fields);
  }

  /** No sound arrives: asks whether the websocket still works. */
  probe() {
    this.#socket.probe(patience(this.state));
  }

  /** A frame that this page makes itself: levels of sound from files, or that the notice was accepted. */
  take(frame) { this.#replica.take(frame); }

  /** The member has seen that the Space is over, so nothing of it stays. */
  forget() {
    if (this.inside) return;
    Object.assign(this, { space: null, phase: "idle", closed: null });
    this.#replica.forget();
    this.#tell(null, this.state);
  }

  #changed(frame, before) {
    if (frame.type === "snapshot") Object.assign(this, { phase: "live", attempt: 0 });
    this.#signalling.follow(frame, before);
    this.#tell(frame, before);
    if (this.state.ended) this.#close("ended");
    else if (this.state.removed) this.#close("removed");
  }

  #lost(attempt) {
    Object.assign(this, { phase: this.state.space ? "reconnecting" : "joining", attempt });
    this.#replica.lost();
    this.#tell(null, this.state);
  }

  #close(why) {
    if (!this.inside) return;
    this.#socket.disconnect();
    Object.assign(this, { phase: "closed", closed: why });
    this.microphone.close();
    this.#signalling.end();
    this.redraw();
  }

  #tell(frame, before) {
    this.#views.forEach((view) => view(this, frame, before));
  }
}

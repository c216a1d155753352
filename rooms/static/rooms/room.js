/** The one Space this tab is in. Lives outside <main>, so that page views come and go while the sound goes on. */
import { Sound } from "rooms/audio.js";
import { socketUrl } from "rooms/facts.js";
import { Listening } from "rooms/listening.js";
import { Microphone } from "rooms/microphone.js";
import { Relay } from "rooms/relay.js";
import { Resync } from "rooms/resync.js";
import { Refused, Socket } from "rooms/socket.js";
import { initial, missed, myVoice, outdated, reduce, stale } from "rooms/state.js";

const LEVELS_LAST = 1000;

export class Room {
  space = null;
  phase = "idle";       // idle, joining, live, reconnecting, closed
  closed = null;        // why: left, or a value of FINAL_CLOSES
  attempt = 0;          // of the reconnecting socket
  state = initial();
  microphone = new Microphone();
  #socket = null;
  #resync = new Resync(() => this.send("sync"));
  #relay = new Relay(() => this.#askRelay(), (servers) => this.sound.use(servers));
  #snapshot = null;     // a promise of the first one
  #gotSnapshot = null;
  #fading = null;
  #views = new Set();

  constructor(audio) {
    this.sound = new Sound(audio, (sdp, restart) => this.#offer(sdp, restart), () => this.redraw(), () => this.#relay.servers());
    this.listening = new Listening(this, audio);
    addEventListener("pagehide", () => this.#over("left"));  // says nothing: after a reload the place is still kept
  }

  /** True from the click until the Space is left, lost for good, or over. */
  get inside() {
    return this.phase === "joining" || this.phase === "live" || this.phase === "reconnecting";
  }

  /** view(room, frame or null, the state before) is called after every change; the answer takes it off again. */
  subscribe(view) {
    this.#views.add(view);
    view(this, null, this.state);
    return () => this.#views.delete(view);
  }

  /** One click: websocket and sound at once. Call it inside the click, or the browser may not play. */
  enter(space) {
    if (this.inside && this.space === space) return;
    if (this.inside) this.leave();
    Object.assign(this, { space, phase: "joining", closed: null, attempt: 0, state: initial() });
    this.#snapshot = new Promise((resolve) => { this.#gotSnapshot = resolve; });
    this.#socket = new Socket(socketUrl(`/ws/spaces/${space}/`), {
      frame: (frame) => this.#frame(frame),
      lost: (attempt) => this.#lost(attempt),
      over: (why) => this.#over(why),
    });
    this.#socket.connect();
    this.listening.enter();
  }

  /** Something changed of which no frame tells. */
  redraw() {
    this.#tell(null, this.state);
  }

  leave() {
    if (!this.inside) return;
    this.send("leave").catch(() => {});  // the closing socket says it, too
    this.#over("left");
  }

  /** A command; rejects with Refused. */
  send(type, fields) {
    if (!this.inside) return Promise.reject(new Refused("not_in_the_space", gettext("You are not in this Space.")));
    return this.#socket.send(type, fields);
  }

  /** How loud the voices are in what is heard now, where that is not what is said now: no frame tells it. */
  hear(levels) {
    this.#frame({ type: "levels", levels });
  }

  /** What only I know already: the snapshot of the next connection says the same. */
  noticeAccepted() {
    this.state = { ...this.state, you: { ...this.state.you, notice_accepted: true } };
  }

  /** After a closed Space was looked at: nothing is left of it. */
  forget() {
    if (this.inside) return;
    Object.assign(this, { space: null, phase: "idle", closed: null, state: initial() });
    this.#tell(null, this.state);
  }

  async #offer(sdp, restart = false) {
    await this.#snapshot;
    return this.send("offer", { sdp, restart });
  }

  async #askRelay() {
    await this.#snapshot;
    return this.send("relay");
  }

  #frame(frame) {
    const before = this.state;
    if (missed(before, frame)) return this.#resync.ask();
    if (stale(before, frame)) return;
    this.state = reduce(before, frame);
    if (frame.type === "snapshot") this.#arrived();
    if (frame.type === "sound_moved") this.sound.renew(frame.node);
    if (frame.type === "sound_moving") this.sound.moving(frame, myVoice(this.state) !== undefined);
    if (frame.type === "waiting") this.sound.wait(frame.place);
    if (frame.type === "voice" && frame.person.participant === before.you?.participant) this.sound.wait(0);
    if (frame.type === "levels") this.#fade();
    if (frame.type === "audience" && outdated(this.state)) this.#resync.askSoon(() => outdated(this.state));
    this.#tell(frame, before);
    if (this.state.ended) this.#over("ended");
    else if (this.state.removed) this.#over("removed");
  }

  #arrived() {
    Object.assign(this, { phase: "live", attempt: 0 });
    this.#resync.done();
    this.#gotSnapshot();
    this.sound.resume();
  }

  /** Levels come five times a second while somebody is heard; where they stop, nobody is. */
  #fade() {
    clearTimeout(this.#fading);
    this.#fading = setTimeout(() => this.#frame({ type: "levels", levels: {} }), LEVELS_LAST);
  }

  #lost(attempt) {
    Object.assign(this, { phase: this.state.space ? "reconnecting" : "joining", attempt });
    this.#resync.done();
    this.#tell(null, this.state);
  }

  #over(why) {
    if (!this.inside) return;
    this.#socket.disconnect();
    Object.assign(this, { phase: "closed", closed: why });
    this.microphone.close();
    this.sound.disconnect();
    this.#relay.forget();
    this.redraw();
  }

  #tell(frame, before) {
    this.#views.forEach((view) => view(this, frame, before));
  }
}

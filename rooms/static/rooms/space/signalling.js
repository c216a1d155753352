/** Between the websocket of a Space and its sound: what the sound asks the server, and what frames mean for it. */
import { Sound } from "rooms/sound/sound.js";
import { Trial } from "rooms/sound/trial.js";
import { Turn } from "rooms/sound/turn.js";
import { myVoice } from "rooms/wire/state.js";

export class Signalling {
  #turn = new Turn(() => this.#ask("relay"), (servers) => this.sound.use(servers));
  #snapshot = null;     // a promise of the first snapshot
  #gotSnapshot = null;

  constructor(room, audio) {
    this.room = room;
    const offer = (sdp, kept = "") => this.#ask("offer", { sdp, restart: kept !== "", boot: kept });
    const servers = () => this.#turn.servers();
    this.sound = new Sound(audio, offer, () => room.redraw(), servers, () => room.probe());
    this.trial = new Trial({ offer, servers, changed: () => room.redraw() });
  }

  /** From now on nothing is asked before the snapshot of the Space has come. */
  begin() {
    this.#snapshot = new Promise((resolve) => { this.#gotSnapshot = resolve; });
  }

  follow(frame, before) {
    const { sound } = this;
    const { state } = this.room;
    if (frame.type === "snapshot") this.#arrived();
    if (frame.type === "sound_moved") sound.follower.renew(frame.boot);
    if (frame.type === "snapshot") sound.follower.placed(frame.boot);
    if (frame.type === "sound_moving") sound.follower.moving(frame, myVoice(state) !== undefined);
    if (frame.type === "waiting") sound.wait(frame.place);
    if (frame.type === "voice" && frame.person.participant === before.you?.participant) sound.wait(0);
  }

  end() {
    this.sound.disconnect();
    this.#turn.forget();
  }

  #arrived() {
    this.#gotSnapshot();
    this.sound.resume();
  }

  async #ask(type, fields) {
    await this.#snapshot;
    return this.room.send(type, fields);
  }
}

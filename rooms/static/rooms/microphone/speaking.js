/** My microphone in the Space: opened and closed by button, key or lock screen, and closed by decisions of the host. */
import { say } from "frame/toast.js";
import { Hints } from "rooms/microphone/hints.js";
import { askNotice, chooseDevice } from "rooms/microphone/notice.js";
import { Outgoing } from "rooms/microphone/outgoing.js";
import { ownVoiceIs } from "rooms/microphone/own_voice.js";
import { myVoice } from "rooms/wire/state.js";

export class Speaking {
  busy = false;
  #again = false;
  #outgoing;

  constructor(room) {
    this.room = room;
    this.#outgoing = new Outgoing(room, () => this.#lost());
    this.hints = new Hints(room, this);
    room.subscribe((_, frame) => this.#follow(frame));
  }

  get onStage() {
    return this.room.inside && myVoice(this.room.state) !== undefined;
  }

  get open() {
    return this.room.microphone.track !== null && !this.#outgoing.kept && myVoice(this.room.state)?.mute === "open";
  }

  get mutedByHost() {
    return myVoice(this.room.state)?.mute === "host";
  }

  /** I am muted, nothing leaves this browser, and the page still measures how loud the microphone is. */
  get watching() {
    const { microphone, state } = this.room;
    return this.#outgoing.kept && microphone.watched && microphone.track !== null && myVoice(state)?.mute === "self";
  }

  /** Mutes or unmutes. Pressed again before the server has answered, it turns the other way right after. */
  async toggle() {
    if (this.busy) this.#again = !this.#again;
    if (this.busy || !this.onStage) return;
    this.busy = true;
    do {
      this.#again = false;
      await this.#turn();
    } while (this.#again && this.onStage);
    this.busy = false;
    this.#follow(null);
  }

  /** The dialogue with devices and level. A new device is used as soon as it is chosen. */
  async chooseDevice() {
    const { microphone } = this.room;
    this.#outgoing.testing = true;
    try {
      await chooseDevice(microphone, {
        changed: () => this.#changed().catch((error) => say(error.message, "error")),
        closed: () => (this.onStage && (this.open || this.watching)) || this.#outgoing.giveBack(),
      });
    } finally {
      this.#outgoing.testing = false;
    }
  }

  async #changed() {
    const { microphone, state } = this.room;
    if (!this.onStage || myVoice(state).mute !== "open") return;
    if (microphone.track) await this.#outgoing.send(this.#outgoing.watched(microphone.track));
    else await this.#close();  // the dialogue shows why it did not open
  }

  async #turn() {
    try {
      await (this.open ? this.#close() : this.#openUp());
    } catch (error) {
      this.#again = false;
      this.#outgoing.silence();
      say(error.message, "error");
    }
  }

  async #openUp() {
    const { room } = this;
    if (this.mutedByHost) throw new Error(gettext("The host muted you. Only the host can let you speak again."));
    if (!room.state.you.notice_accepted) {
      if (!await askNotice(room.microphone)) return;
      await room.send("accept_notice");
      room.take({ type: "notice_accepted" });  // the next snapshot says the same
    }
    const track = await this.#outgoing.track();
    await room.send("microphone", { open: true });
    await ownVoiceIs(room, "open");
    await this.#outgoing.send(track);
  }

  #lost() {
    if (this.watching) return this.#outgoing.silence();
    say(gettext("Your microphone was disconnected. Plug it in again, or choose another one."), "error");
    return this.#close().catch(() => {});
  }

  async #close() {
    this.#outgoing.silence(this.room.microphone.watched);
    await this.room.send("microphone", { open: false });
    await ownVoiceIs(this.room, "self");
  }

  /** The server decides: off the stage or muted means silence, and open without a microphone means closed. */
  #follow(frame) {
    if (this.busy || !this.room.inside) return;
    const mute = myVoice(this.room.state)?.mute;
    if (this.room.microphone.track && mute !== "open" && !this.watching) this.#outgoing.silence();
    if (frame?.type === "snapshot" && mute === "open" && !this.open) {
      this.room.send("microphone", { open: false }).catch(() => {});
    }
  }
}

/** My microphone in the Space: what the button, the keys and the lock screen do, and what the host's decisions do to it. */
import { Hints } from "rooms/hints.js";
import { askNotice, chooseDevice } from "rooms/notice.js";
import { myVoice } from "rooms/state.js";
import { say } from "rooms/toast.js";

const TOLD_WITHIN = 3000;

export class Speaking {
  busy = false;
  #again = false;
  #testing = false;   // the dialogue has the microphone open for its meter, too
  #kept = false;      // I closed it myself and it stays with the page, unsent, for the hint that I talk

  constructor(room) {
    this.room = room;
    this.hints = new Hints(room, this);
    room.subscribe((_, frame) => this.#follow(frame));
  }

  get onStage() {
    return this.room.inside && myVoice(this.room.state) !== undefined;
  }

  get open() {
    return this.room.microphone.track !== null && !this.#kept && myVoice(this.room.state)?.mute === "open";
  }

  get mutedByHost() {
    return myVoice(this.room.state)?.mute === "host";
  }

  /** The microphone is closed by myself, nothing of it leaves this browser, and its level is still measured here. */
  get watching() {
    const { microphone, state } = this.room;
    return this.#kept && microphone.watched && microphone.track !== null && myVoice(state)?.mute === "self";
  }

  /** Open or close. Pressed again while the server is still being told, it turns the other way right after. */
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

  /** The dialogue with devices and level. Whoever speaks is heard through a new device as soon as it is chosen. */
  async chooseDevice() {
    const { microphone } = this.room;
    this.#testing = true;
    try {
      await chooseDevice(microphone, {
        changed: () => this.#changed().catch((error) => say(error.message, "error")),
        closed: () => (this.onStage && (this.open || this.watching)) || this.#giveBack(),
      });
    } finally {
      this.#testing = false;
    }
  }

  async #changed() {
    const { microphone, sound, state } = this.room;
    if (!this.onStage || myVoice(state).mute !== "open") return;
    if (microphone.track) await sound.send(this.#watched(microphone.track));
    else await this.#close();  // the dialogue says why it did not open
  }

  async #turn() {
    try {
      await (this.open ? this.#close() : this.#openUp());
    } catch (error) {
      this.#again = false;
      this.#silence();
      say(error.message, "error");
    }
  }

  async #openUp() {
    const { room } = this;
    if (this.mutedByHost) throw new Error(gettext("The host closed your microphone. Only the host can open it again."));
    if (!room.state.you.notice_accepted) {
      if (!await askNotice(room.microphone)) return;
      await room.send("accept_notice");
      room.noticeAccepted();
    }
    this.#kept = false;
    const track = this.#watched(room.microphone.track ?? await room.microphone.open());
    await room.send("microphone", { open: true });
    await this.#told("open");
    await room.sound.send(track);
  }

  #watched(track) {
    track.onended = () => {
      if (this.watching) return this.#silence();
      say(gettext("The microphone is gone. Plug it in again or choose another one."), "error");
      return this.#close().catch(() => {});
    };
    return track;
  }

  async #close() {
    this.#silence(this.room.microphone.watched);
    await this.room.send("microphone", { open: false });
    await this.#told("self");
  }

  /** The event about my microphone may come after the answer: wait for it, or else decide by an old state. */
  #told(mute) {
    const { room } = this;
    return new Promise((resolve) => {
      const timer = setTimeout(done, TOLD_WITHIN);
      const unsubscribe = room.subscribe(() => (!room.inside || myVoice(room.state)?.mute === mute) && queueMicrotask(done));
      function done() {
        clearTimeout(timer);
        unsubscribe();
        resolve();
      }
    });
  }

  /** Nothing leaves this browser from now on, whatever the server says. The device is given back unless it is kept. */
  #silence(keep = false) {
    const { microphone, sound } = this.room;
    sound.send(null);
    this.#kept = keep && microphone.track?.readyState === "live";
    if (!this.#testing && !this.#kept) microphone.close();
  }

  #giveBack() {
    this.#kept = false;
    this.room.microphone.close();
  }

  /** The server's word counts: no longer on the stage or muted means silence; open without a microphone means closed. */
  #follow(frame) {
    if (this.busy || !this.room.inside) return;
    const mute = myVoice(this.room.state)?.mute;
    if (this.room.microphone.track && mute !== "open" && !this.watching) this.#silence();
    if (frame?.type === "snapshot" && mute === "open" && !this.open) {
      this.room.send("microphone", { open: false }).catch(() => {});
    }
  }
}

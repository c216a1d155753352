/** My microphone in the Space: what the button, the keys and the lock screen do, and what the host's decisions do to it. */
import { askNotice } from "rooms/notice.js";
import { myVoice } from "rooms/state.js";
import { say } from "rooms/toast.js";

const TOLD_WITHIN = 3000;

export class Speaking {
  busy = false;
  #again = false;

  constructor(room) {
    this.room = room;
    room.subscribe((_, frame) => this.#follow(frame));
  }

  get onStage() {
    return this.room.inside && myVoice(this.room.state) !== undefined;
  }

  get open() {
    return this.room.microphone.track !== null && myVoice(this.room.state)?.mute === "open";
  }

  get mutedByHost() {
    return myVoice(this.room.state)?.mute === "host";
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

  /** The same microphone from another device, while it is open. */
  async changeDevice() {
    if (!this.open) return;
    try {
      await this.room.sound.send(await this.#track());
    } catch (error) {
      say(error.message, "error");
      await this.#close();
    }
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
    const track = room.microphone.track ?? await this.#track();
    await room.send("microphone", { open: true });
    await this.#told("open");
    await room.sound.send(track);
  }

  async #track() {
    const track = await this.room.microphone.open();
    track.onended = () => {
      say(gettext("The microphone is gone. Plug it in again or choose another one."), "error");
      this.#close().catch(() => {});
    };
    return track;
  }

  async #close() {
    this.#silence();
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

  /** Nothing leaves this browser from now on, whatever the server says. */
  #silence() {
    this.room.sound.send(null);
    this.room.microphone.close();
  }

  /** The server's word counts: no longer on the stage or muted means silence; open without a microphone means closed. */
  #follow(frame) {
    if (this.busy || !this.room.inside) return;
    const mute = myVoice(this.room.state)?.mute;
    if (this.room.microphone.track && mute !== "open") this.#silence();
    if (frame?.type === "snapshot" && !this.room.microphone.track && mute === "open") {
      this.room.send("microphone", { open: false }).catch(() => {});
    }
  }
}

/** How one hears the Space: over a connection, or, a few seconds late, as files. Files are for listeners who chose them
 *  (data saver), whom no node takes, or to whom no connection brings sound. */
import { facts } from "frame/facts.js";
import { keep, kept } from "frame/kept.js";
import { causeOf } from "rooms/hls/cause.js";
import { Early } from "rooms/hls/early.js";
import { Files } from "rooms/hls/files.js";
import { myVoice } from "rooms/wire/state.js";

const KEPT = "spaces:data-saver";
const AGAIN_AFTER = 30_000;  // ms until files are tried again if there were none

export class Listening {
  cause = "";           // why files are heard unless they were chosen: crowded (no node took us), unreachable
  #notBefore = 0;       // until then there are no files, as far as we know

  /** `trial` tries connections while files are heard because none brings sound. */
  constructor(room, element, trial) {
    Object.assign(this, { room, trial });
    this.early = new Early(() => room.redraw());
    this.files = new Files(element, {
      hear: (files) => room.send("hear", { files, chosen: files && this.saver }),
      now: () => (Date.now() + room.state.clock) / 1000,
      zero: () => room.state.space.started_at,
      play: () => room.sound.play(),
      levels: (levels) => room.take({ type: "levels", levels }),
      changed: () => room.redraw(),
      gone: () => this.#none(),
      doubted: () => room.probe(),
    });
    room.subscribe((_, frame) => this.#follow(frame));
  }

  /** The member's choice, for all Spaces. */
  get saver() {
    return facts.hls && kept(KEPT) === "yes";
  }

  set saver(wanted) {
    keep(KEPT, wanted ? "yes" : "no");
    this.trial.stop();
    [this.cause, this.#notBefore, this.room.sound.place] = ["", 0, 0];
    if (wanted && this.files.on) this.files.again();  // chosen now, so our place in the queue becomes free
    this.room.redraw();
  }

  /** Call this inside the click that enters a Space. Someone who saves data may be its host; the snapshot will tell. */
  enter() {
    [this.cause, this.#notBefore] = ["", 0];
    if (this.saver) this.room.sound.ready();
    else this.room.sound.connect();
    this.early.begin();
  }

  /** Tries once more to hear without delay. */
  retry() {
    this.#again();
    this.room.redraw();
  }

  get #wanted() {
    return facts.hls && performance.now() >= this.#notBefore && myVoice(this.room.state) === undefined
      && (this.#due || this.early.wanted);
  }

  /** Whether files are to be heard, not only prepared. */
  get #due() {
    return this.saver || this.cause !== "";
  }

  #follow(frame) {
    const { room, files } = this;
    if (!room.inside) return this.#stop();
    if (frame?.type === "files" && !frame.re) files.renew(frame);
    if (frame?.type === "snapshot") files.again();
    if (frame?.type === "waiting" && frame.place === 0) this.#again();  // it is our turn in the queue
    if (room.phase !== "live") return undefined;
    if (room.sound.state === "live") this.early.stop();
    this.cause = causeOf(room, this.cause);
    if (this.#wanted && !files.on) return this.#toFiles();
    if (this.#due && files.state === "ready") return this.#begin();
    if (!this.#wanted && files.on) this.#stop();
    if (!this.#wanted && !files.on && room.sound.state === "off") room.sound.connect();
    return undefined;
  }

  #forget() {
    this.cause = "";
    this.room.redraw();
  }

  #again() {
    if (this.cause === "unreachable") this.trial.now();
    else this.cause = "";
  }

  #stop() {
    this.trial.stop();
    this.files.stop();
  }

  /** The connection goes on until there is enough of the files. */
  async #toFiles() {
    const ready = await this.files.prepare().catch(() => false);
    if (ready === false) this.#none();
  }

  #begin() {
    this.early.stop();
    this.files.begin(() => this.room.sound.disconnect());
    if (this.cause === "unreachable" && !this.room.sound.impossible) this.trial.start(() => this.#forget());
  }

  /** There are no files, or they cannot be fetched. A connection is better than silence. */
  #none() {
    this.#notBefore = performance.now() + AGAIN_AFTER;
    setTimeout(() => this.room.redraw(), AGAIN_AFTER);
    this.#stop();
  }
}

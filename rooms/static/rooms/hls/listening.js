/** How one hears the Space: over a connection to the media node, or, a few seconds late, as files. Files are for whoever
 *  chose them (data saver) and for whoever no node takes; whoever is on the stage has the connection. */
import { facts } from "frame/facts.js";
import { Files } from "rooms/hls/files.js";
import { myVoice } from "rooms/wire/state.js";

const KEPT = "spaces:data-saver";
const AGAIN_AFTER = 30_000;  // ms until files are tried again where there were none

export class Listening {
  crowded = false;      // no node took us, so it is files without having been chosen
  #notBefore = 0;       // until then there are no files, as far as we know

  constructor(room, element) {
    this.room = room;
    this.files = new Files(element, {
      hear: (files) => room.send("hear", { files, chosen: files && this.saver }), play: () => room.sound.play(),
      now: () => (Date.now() + room.state.clock) / 1000, zero: () => room.state.space.started_at,
      levels: (levels) => room.hear(levels), changed: () => room.redraw(), gone: () => this.#none(), doubted: () => room.probe(),
    });
    room.subscribe((_, frame) => this.#follow(frame));
  }

  /** The member's choice, for all Spaces. */
  get saver() {
    return facts.hls && localStorage.getItem(KEPT) === "yes";
  }

  set saver(wanted) {
    localStorage.setItem(KEPT, wanted ? "yes" : "no");
    this.#notBefore = 0;
    [this.crowded, this.room.sound.place] = [false, 0];
    if (wanted && this.files.on) this.files.again();  // chosen now: nobody else has to wait behind us any more
    this.room.redraw();
  }

  /** Inside the click with which a Space is entered. Who saves data may still be its host: the snapshot tells. */
  enter() {
    [this.crowded, this.#notBefore] = [false, 0];
    if (this.saver) this.room.sound.ready();
    else this.room.sound.connect();
  }

  /** Once more without delay, for whoever found no place before; in line he is called by himself. */
  retry() {
    this.crowded = false;
    this.room.redraw();
  }

  get #wanted() {
    return facts.hls && performance.now() >= this.#notBefore && myVoice(this.room.state) === undefined
      && (this.saver || this.crowded);
  }

  #follow(frame) {
    const { room, files } = this;
    const { sound } = room;
    if (!room.inside) return files.stop();
    if (frame?.type === "files" && !frame.re) files.renew(frame);
    if (frame?.type === "snapshot") files.again();
    if (frame?.type === "waiting" && frame.place === 0 && this.crowded) this.crowded = false;  // it is our turn in line
    if (room.phase !== "live") return undefined;
    if (myVoice(room.state)) this.crowded = false;
    else if (sound.state === "full" && facts.hls) this.crowded = true;
    if (this.#wanted && !files.on) return this.#toFiles();
    if (!this.#wanted && files.on) files.stop();
    if (!this.#wanted && !files.on && sound.state === "off") sound.connect();
    return undefined;
  }

  /** What is heard goes on until there is enough of the files. */
  async #toFiles() {
    const ready = await this.files.prepare().catch(() => false);
    if (ready === false) this.#none();
    if (!ready) return;
    this.room.sound.disconnect();
    this.files.begin();
  }

  /** No files, or none that can be fetched: the connection is better than silence. */
  #none() {
    this.#notBefore = performance.now() + AGAIN_AFTER;
    setTimeout(() => this.room.redraw(), AGAIN_AFTER);
    this.files.stop();
  }
}

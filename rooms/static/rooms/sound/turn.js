/** TURN servers: asked for before the first connection, and again before their credentials end. Kept in memory only. */
import { facts } from "frame/facts.js";

const RENEW_AT = 0.8;           // of the seconds for which credentials are valid
const AGAIN_AFTER = 30_000;     // ms, if the server could not be asked

export class Turn {
  #servers = [];
  #until = 0;                   // by Date.now(), which goes on while a machine sleeps
  #timer = null;
  #round = 0;                   // how many Spaces were entered: credentials are valid in one of them

  /** ask() returns a promise of {servers, seconds}; renewed(servers): these are valid from now on. */
  constructor(ask, renewed) {
    Object.assign(this, { ask, renewed });
  }

  /** A promise of RTCIceServer[]: empty if there are none, or if the server cannot be asked. */
  async servers() {
    if (facts?.relay && Date.now() >= this.#until) await this.#renew();
    return this.#servers;
  }

  /** The member has left the Space. */
  forget() {
    clearTimeout(this.#timer);
    this.#round += 1;
    this.#servers = [];
    this.#until = 0;
  }

  async #renew() {
    clearTimeout(this.#timer);
    const round = this.#round;
    const got = await this.ask().catch(() => null);
    if (round !== this.#round) return;
    this.#timer = setTimeout(() => this.#renew(), got ? got.seconds * 1000 * RENEW_AT : AGAIN_AFTER);
    if (got) this.#take(got);
    else if (Date.now() >= this.#until) this.#servers = [];
  }

  #take({ servers, seconds }) {
    this.#servers = servers;
    this.#until = Date.now() + seconds * 1000;
    this.renewed(servers);
  }
}

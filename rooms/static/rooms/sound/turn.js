/** The TURN servers: asked for before the first connection, and again before their credentials end. In memory alone. */
import { facts } from "frame/facts.js";

const RENEW_AT = 0.8;           // of the time for which credentials are taken
const AGAIN_AFTER = 30_000;     // where the server could not be asked

export class Relay {
  #servers = [];
  #until = 0;                   // Date.now() counts on while a machine sleeps
  #timer = null;
  #round = 0;                   // of Spaces entered: credentials belong to one of them

  /** ask() -> Promise of {servers, seconds}; renewed(servers): from now on these count. */
  constructor(ask, renewed) {
    Object.assign(this, { ask, renewed });
  }

  /** RTCIceServer[]: none where there are none or the server cannot be asked; sound then tries the direct way. */
  async servers() {
    if (facts?.relay && Date.now() >= this.#until) await this.#renew();
    return this.#servers;
  }

  /** The Space is left. */
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

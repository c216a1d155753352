/** A websocket that connects again when it is lost, also when its network is gone without a word. */
import { Answers, Refused } from "rooms/wire/answers.js";
import { CLOSES, FINAL_CLOSES, NORMAL_CLOSE, command, event } from "rooms/wire/protocol.js";

export { Refused };

const FIRST_DELAY = 500;
const LONGEST_DELAY = 8000;
const ANSWER_WITHIN = 10_000;
const LIVES_WITHIN = 400;       // ms for a ping, or three times the fastest answer if that is longer
const BUSY_WITHIN = 3000;       // ms for a ping behind a command: an offer to a node that does not answer takes 2.5 s
const SPREAD = 300;             // ms over which listeners open new sockets: all may have lost theirs at once

export class Socket {
  #socket = null;
  #attempt = 0;
  #timer = null;
  #answers = new Answers({ late: () => this.probe(SPREAD) });
  #frames = 0;
  #probing = false;
  #closed = false;

  /** handlers: frame(frame), lost(attempt, delay in ms), closed(why): one of FINAL_CLOSES. */
  constructor(url, handlers) {
    this.url = url;
    this.handlers = handlers;
  }

  connect() {
    this.#socket = new WebSocket(this.url);
    this.#socket.onmessage = (message) => this.#receive(message.data);
    this.#socket.onclose = (close) => this.#lost(close.code);
    addEventListener("online", this.#online);
  }

  disconnect() {
    this.#closed = true;
    removeEventListener("online", this.#online);
    this.#abandon();
  }

  /** Resolves with the frame that answers (`ok`, `answer`, `invited`); rejects with Refused. */
  send(type, fields = {}, within = ANSWER_WITHIN) {
    if (this.#socket.readyState !== WebSocket.OPEN) {
      return Promise.reject(new Refused("offline", gettext("You are not connected right now. Try again in a moment.")));
    }
    return this.#answers.expect((id) => this.#socket.send(command(type, fields, id)), within);
  }

  /** Asks the server for an answer, and opens a new socket if none comes: nothing closes one whose network is gone.
   *  Also ends the pause before the next try. `longer`: more ms for the answer when many pages ask at once. */
  async probe(longer = 0) {
    const [asked, frames] = [this.#socket, this.#frames];
    if (this.#closed || this.#probing || asked.readyState === WebSocket.CONNECTING) return;
    const { waiting, fastest } = this.#answers;
    const within = waiting ? BUSY_WITHIN : Math.max(LIVES_WITHIN, Math.min(3 * fastest, BUSY_WITHIN));
    this.#probing = true;
    await this.send("ping", {}, within + longer).catch(() => {});
    if (longer) await new Promise((done) => { setTimeout(done, Math.random() * SPREAD); });
    this.#probing = false;
    if (frames === this.#frames && asked === this.#socket && !this.#closed) this.#replace();
  }

  #online = () => this.probe();

  #replace() {
    this.#abandon();
    this.handlers.lost(this.#attempt + 1, 0);
    this.connect();
  }

  #abandon() {
    clearTimeout(this.#timer);
    this.#socket.onclose = this.#socket.onmessage = null;
    this.#socket.close(NORMAL_CLOSE);
    this.#answers.rejectAll();
  }

  #receive(text) {
    const frame = event(text);
    if (!frame) return;
    this.#attempt = 0;
    this.#frames += 1;
    if (frame.re) this.#answers.settle(frame.re, frame);
    this.handlers.frame(frame);
  }

  #lost(code) {
    this.#answers.rejectAll();
    const why = CLOSES[code];
    if (this.#closed) return;
    if (FINAL_CLOSES.includes(why)) {
      this.disconnect();
      this.handlers.closed(why);
      return;
    }
    const delay = Math.min(LONGEST_DELAY, FIRST_DELAY * 2 ** this.#attempt) * (0.5 + Math.random());
    this.#attempt += 1;
    this.handlers.lost(this.#attempt, delay);
    this.#timer = setTimeout(() => this.connect(), delay);
  }
}

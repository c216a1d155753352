/** A websocket that comes back by itself, with command ids that become promises. */
import { FINAL_CLOSES, command, event } from "rooms/protocol.js";

const FIRST_DELAY = 500;
const LONGEST_DELAY = 8000;
const ANSWER_WITHIN = 10_000;

/** A command that was refused; `code` as on the wire, the message is for people. */
export class Refused extends Error {
  constructor(code, text) {
    super(text);
    this.code = code;
  }
}

export class Socket {
  #socket = null;
  #attempt = 0;
  #timer = null;
  #nextId = 1;
  #pending = new Map();
  #closed = false;

  /** handlers: frame(frame), lost(attempt, delay in ms), over(why): why is a value of FINAL_CLOSES. */
  constructor(url, handlers) {
    this.url = url;
    this.handlers = handlers;
  }

  connect() {
    this.#socket = new WebSocket(this.url);
    this.#socket.onmessage = (message) => this.#receive(message.data);
    this.#socket.onclose = (close) => this.#lost(close.code);
    addEventListener("online", this.#hurry);
  }

  disconnect() {
    this.#closed = true;
    clearTimeout(this.#timer);
    removeEventListener("online", this.#hurry);
    this.#rejectAll();
    this.#socket.onclose = this.#socket.onmessage = null;
    this.#socket.close(1000);
  }

  /** Resolves with the frame that answers it (`ok`, `answer`, `invited`); rejects with Refused. */
  send(type, fields = {}) {
    if (this.#socket.readyState !== WebSocket.OPEN) {
      return Promise.reject(new Refused("offline", gettext("You are not connected right now. Try again in a moment.")));
    }
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.#settle(id, null), ANSWER_WITHIN);
      this.#pending.set(id, { resolve, reject, timer });
      this.#socket.send(command(type, fields, id));
    });
  }

  #receive(text) {
    const frame = event(text);
    if (!frame) return;
    this.#attempt = 0;
    if (frame.re) this.#settle(frame.re, frame);
    this.handlers.frame(frame);
  }

  #settle(id, frame) {
    const waiting = this.#pending.get(id);
    if (!waiting) return;
    this.#pending.delete(id);
    clearTimeout(waiting.timer);
    if (frame && frame.type !== "error") waiting.resolve(frame);
    else waiting.reject(new Refused(frame?.code ?? "no_answer", frame?.text ?? gettext("The server did not answer. Try again.")));
  }

  #rejectAll() {
    [...this.#pending.keys()].forEach((id) => this.#settle(id, null));
  }

  #lost(code) {
    this.#rejectAll();
    const why = FINAL_CLOSES[code];
    if (this.#closed) return;
    if (why) {
      this.disconnect();
      this.handlers.over(why);
      return;
    }
    const delay = Math.min(LONGEST_DELAY, FIRST_DELAY * 2 ** this.#attempt) * (0.5 + Math.random());
    this.#attempt += 1;
    this.handlers.lost(this.#attempt, delay);
    this.#timer = setTimeout(() => this.connect(), delay);
  }

  #hurry = () => {
    if (this.#closed || this.#socket.readyState !== WebSocket.CLOSED) return;
    clearTimeout(this.#timer);
    this.connect();
  };
}

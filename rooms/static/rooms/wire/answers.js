/** Commands that wait for their answers: each id has a promise. */

/** A command that was refused; `code` as on the wire, the message is for people. */
export class Refused extends Error {
  constructor(code, text) {
    super(text);
    this.code = code;
  }
}

export class Answers {
  fastest = 0;          // ms of the fastest answer over this connection; 0 before the first
  #nextId = 1;
  #pending = new Map();

  get waiting() {
    return this.#pending.size > 0;
  }

  /** late() is called when an answer did not come in time. */
  constructor({ late }) {
    this.late = late;
  }

  /** Calls send(id); the answer will name that id. Resolves with the answer, rejects with Refused. */
  expect(send, within) {
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.#miss(id), within);
      this.#pending.set(id, { resolve, reject, timer, since: performance.now() });
      send(id);
    });
  }

  settle(id, frame) {
    const waiting = this.#pending.get(id);
    if (!waiting) return;
    this.#pending.delete(id);
    clearTimeout(waiting.timer);
    if (frame) this.fastest = Math.min(this.fastest || Infinity, performance.now() - waiting.since);
    if (!frame) waiting.reject(new Refused("no_answer", gettext("The server did not answer. Try again.")));
    else if (frame.type === "error") waiting.reject(new Refused(frame.code, frame.text));
    else waiting.resolve(frame);
  }

  #miss(id) {
    this.settle(id, null);
    this.late();
  }

  /** The connection is gone, so no answer will come. How fast it was says nothing about the next one. */
  rejectAll() {
    this.fastest = 0;
    [...this.#pending.keys()].forEach((id) => this.settle(id, null));
  }
}

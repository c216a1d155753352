/** Commands that wait for their answers: ids that become promises. */

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

  /** late(): an answer did not come in its time. */
  constructor({ late }) {
    this.late = late;
  }

  /** send(id) is called with the id that the answer will name. Resolves with the answer, rejects with Refused. */
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
    if (frame && frame.type !== "error") waiting.resolve(frame);
    else waiting.reject(new Refused(frame?.code ?? "no_answer", frame?.text ?? gettext("The server did not answer. Try again.")));
  }

  #miss(id) {
    this.settle(id, null);
    this.late();
  }

  /** Nobody will answer any more: the connection is gone, and how fast it was says nothing of the next one. */
  rejectAll() {
    this.fastest = 0;
    [...this.#pending.keys()].forEach((id) => this.settle(id, null));
  }
}

/** Commands that wait for their answers: ids that become promises. */

/** A command that was refused; `code` as on the wire, the message is for people. */
export class Refused extends Error {
  constructor(code, text) {
    super(text);
    this.code = code;
  }
}

export class Answers {
  fastest = 0;          // ms of the fastest answer so far; 0 before the first
  #nextId = 1;
  #pending = new Map();

  get waiting() {
    return this.#pending.size > 0;
  }

  /** send(id) is called with the id that the answer will name. Resolves with the answer, rejects with Refused. */
  expect(send, within) {
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.settle(id, null), within);
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

  /** Nobody will answer any more. */
  rejectAll() {
    [...this.#pending.keys()].forEach((id) => this.settle(id, null));
  }
}

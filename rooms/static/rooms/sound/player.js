/** The one <audio> element that plays what arrives, if the browser allows it. */

export class Player {
  blocked = false;    // the browser waits for a click before it plays

  /** changed() is called after every change of `blocked`; expected(): whether there should be sound now. */
  constructor(element, { changed, expected }) {
    Object.assign(this, { element, changed, expected });
    element.addEventListener("pause", () => this.#paused());
  }

  /** Call this inside a click. Later streams may then play without one. */
  ready() {
    this.element.play().catch(() => {});
  }

  /** Plays this track from now on. */
  hear(track) {
    this.element.srcObject = new MediaStream([track]);
    this.play();
  }

  async play() {
    try {
      await this.element.play();
      this.blocked = false;
    } catch (error) {
      if (error.name !== "NotAllowedError") return;  // a newer stream took its place, or this one cannot be played
      this.blocked = true;
    }
    this.changed();
  }

  rest() {
    this.element.srcObject = null;
    this.blocked = false;
  }

  /** A headset, a call or the lock screen has paused it. A click makes it go on. */
  #paused() {
    const { ended, paused, src } = this.element;
    if (ended || !paused || !(src || this.expected())) return;
    this.blocked = true;
    this.changed();
  }
}

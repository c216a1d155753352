/** The one <audio> element that plays what arrives, where the browser lets it. */

export class Player {
  blocked = false;    // the browser wants a click before it plays

  /** changed() is called after every change of `blocked`; expected(): whether there is something to be heard. */
  constructor(element, { changed, expected }) {
    Object.assign(this, { element, changed, expected });
    element.addEventListener("pause", () => this.#paused());
  }

  /** Inside the click: later streams may then play without one. */
  ready() {
    this.element.play().catch(() => {});
  }

  /** Play this track from now on. */
  hear(track) {
    this.element.srcObject = new MediaStream([track]);
    this.play();
  }

  async play() {
    try {
      await this.element.play();
      this.blocked = false;
    } catch (error) {
      if (error.name !== "NotAllowedError") return;  // a newer stream took over, or this one cannot be played
      this.blocked = true;
    }
    this.changed();
  }

  rest() {
    this.element.srcObject = null;
    this.blocked = false;
  }

  /** By a headset, a call, the lock screen: it goes on with a click. */
  #paused() {
    const { ended, paused, src } = this.element;
    if (ended || !paused || !(src || this.expected())) return;
    this.blocked = true;
    this.changed();
  }
}

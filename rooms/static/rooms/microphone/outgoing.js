/** What of my microphone leaves this browser, and whether the page keeps the device where nothing does. */

export class Outgoing {
  kept = false;       // I closed it myself and it stays with the page, unsent, for the hint that I talk
  testing = false;    // the dialogue has the microphone open for its meter, too

  /** lost(): the device is gone. */
  constructor(room, lost) {
    Object.assign(this, { room, lost });
  }

  /** A track of the device, which is asked for where the page has none; nothing of it leaves yet. */
  async track() {
    const { microphone } = this.room;
    this.kept = false;
    return this.watched(microphone.track ?? await microphone.open());
  }

  watched(track) {
    track.onended = this.lost;
    return track;
  }

  send(track) {
    return this.room.sound.send(track);
  }

  /** Nothing leaves this browser from now on, whatever the server says. The device is given back unless it is kept. */
  silence(keep = false) {
    const { microphone, sound } = this.room;
    sound.send(null);
    this.kept = keep && microphone.track?.readyState === "live";
    if (!this.testing && !this.kept) microphone.close();
  }

  giveBack() {
    this.kept = false;
    this.room.microphone.close();
  }
}

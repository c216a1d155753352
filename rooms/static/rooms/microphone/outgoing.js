/** What of my microphone leaves this browser, and whether the page keeps the device while nothing does. */

export class Outgoing {
  kept = false;       // I muted myself, and the page keeps the device, unsent, for the hint that I talk
  testing = false;    // the dialogue has the microphone open for its meter, too

  /** lost(): the device is gone. */
  constructor(room, lost) {
    Object.assign(this, { room, lost });
  }

  /** A promise of a track of the device; opens it if the page has none. Nothing of it leaves yet. */
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

  /** Nothing leaves this browser from now on, whatever the server answers. Closes the device unless it is kept. */
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

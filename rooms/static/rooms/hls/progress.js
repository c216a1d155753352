/** How far files have been played: when the player last moved, what the newest sound was, how late it is. */

export class Progress {
  delay = null;       // seconds between what is said and what is heard; null if unknown
  newest = 0;         // when the newest of what was heard was said, in seconds since 1970
  #newAt = 0;         // when it was heard
  #position = 0;      // of the player, at the last look
  #playedAt = 0;      // when it moved

  begin() {
    [this.newest, this.#newAt] = [0, performance.now()];
  }

  /** A new player takes over. It may start before what was heard last, so nothing is newer yet. */
  restart() {
    this.#playedAt = performance.now();
  }

  /** ms for which the player has stood still without being paused. */
  get silentFor() {
    return performance.now() - this.#playedAt;
  }

  /** ms in which nothing newer was heard. */
  get staleFor() {
    return performance.now() - this.#newAt;
  }

  /** Reads an audio element. `heard`: when what is heard was said, or null; `clock`: the server's, in seconds; `begun`:
   *  whether the player has something to play. */
  note({ currentTime, paused }, { heard, clock, begun }) {
    const now = performance.now();
    const [isPaused, moves] = [paused && begun, currentTime !== this.#position];
    if (moves || isPaused) [this.#position, this.#playedAt] = [currentTime, now];
    if (isPaused || (heard === null ? moves && begun : heard > this.newest)) this.#newAt = now;
    this.newest = Math.max(this.newest, heard ?? 0);
    this.delay = heard === null ? null : clock - heard;
  }
}

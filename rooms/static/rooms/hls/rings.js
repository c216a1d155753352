/** The rings around faces for sound from files: the playlists tell how loud each voice is in a segment. */

const STEP = 200;  // ms of one level
const KEPT = 20;   // segments

/** Levels {participant: 1 to 99} at a moment in ms since 1970. */
export function levelsAt(segments, at) {
  const segment = segments.findLast((one) => one.at <= at);
  if (!segment || at >= segment.at + segment.seconds * 1000) return {};
  const step = Math.floor((at - segment.at) / STEP);
  const now = Object.entries(segment.levels).map(([participant, levels]) => [participant, levels[step] ?? 0]);
  return Object.fromEntries(now.filter(([, level]) => level > 0));
}

/** The segments before, with those of a newer playlist. */
export function merged(before, segments) {
  const first = segments[0]?.number ?? Infinity;
  return [...before.filter(({ number }) => number < first), ...segments].slice(-KEPT);
}

export class Rings {
  #segments = [];
  #timer = null;
  #heard = null;
  #loud = false;      // the last levels were not empty

  /** heard(): when what is heard was said, in seconds since 1970, or null. show({participant: level}). */
  constructor({ heard, show }) {
    Object.assign(this, { heard, show });
  }

  start() {
    this.#timer ??= setInterval(() => this.#look(), STEP);
  }

  /** Nothing more is shown. Levels that are not repeated fade. */
  stop() {
    clearInterval(this.#timer);
    [this.#segments, this.#timer, this.#heard, this.#loud] = [[], null, null, false];
  }

  /** Takes the segments that a playlist names. */
  take(segments) {
    this.#segments = merged(this.#segments, segments);
  }

  /** While nothing is played, all levels are 0. */
  #look() {
    const before = this.#heard;
    this.#heard = this.heard();
    const plays = this.#heard !== null && this.#heard !== before;
    this.#update(plays ? levelsAt(this.#segments, this.#heard * 1000) : {});
  }

  #update(levels) {
    const before = this.#loud;
    this.#loud = Object.keys(levels).length > 0;
    if (before || this.#loud) this.show(levels);
  }
}

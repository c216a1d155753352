/** How loud the voices are in what is heard as files: the playlists tell it of each segment, some seconds before it is heard. */

const STEP = 200;  // ms of one level
const KEPT = 20;   // segments

/** Levels {participant: 1 to 99} of a moment in ms since 1970. Pure. */
export function levelsAt(segments, at) {
  const segment = segments.findLast((one) => one.at <= at);
  if (!segment || at >= segment.at + segment.seconds * 1000) return {};
  const step = Math.floor((at - segment.at) / STEP);
  const now = Object.entries(segment.levels).map(([participant, levels]) => [participant, levels[step] ?? 0]);
  return Object.fromEntries(now.filter(([, level]) => level > 0));
}

/** The segments that were known, with those of a newer playlist. Pure. */
export function known(before, segments) {
  const first = segments[0]?.number ?? Infinity;
  return [...before.filter(({ number }) => number < first), ...segments].slice(-KEPT);
}

export class Rings {
  #segments = [];
  #timer = null;
  #heard = null;
  #told = false;      // that somebody is loud

  /** heard(): when what is heard was said, in seconds since 1970, or null; tell({participant: level}). */
  constructor({ heard, tell }) {
    Object.assign(this, { heard, tell });
  }

  start() {
    this.#timer ??= setInterval(() => this.#look(), STEP);
  }

  /** Nothing is told any more; levels that are not told again fade by themselves. */
  stop() {
    clearInterval(this.#timer);
    [this.#segments, this.#timer, this.#heard, this.#told] = [[], null, null, false];
  }

  /** The segments that a playlist names. */
  take(segments) {
    this.#segments = known(this.#segments, segments);
  }

  /** Where nothing is heard, nobody is loud. */
  #look() {
    const before = this.#heard;
    this.#heard = this.heard();
    this.#say(this.#heard === null || this.#heard === before ? {} : levelsAt(this.#segments, this.#heard * 1000));
  }

  #say(levels) {
    const told = this.#told;
    this.#told = Object.keys(levels).length > 0;
    if (told || this.#told) this.tell(levels);
  }
}

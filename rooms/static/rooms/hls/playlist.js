/** Reads playlists of HLS (RFC 8216), as far as ours need it. Nothing here touches the page or the network. */

const value = (line) => line.slice(line.indexOf(":") + 1);
const quoted = (line, name) => line.match(new RegExp(`${name}="([^"]*)"`))?.[1] ?? "";

/** How loud each voice is in a segment: {participant: [0 to 99 for each 200 ms]}. */
const loudness = (text) => Object.fromEntries(text.split(",").map((one) => {
  const [participant, digits = ""] = one.split("=");
  return [participant, (digits.match(/\d\d/g) ?? []).map(Number)];
}));

/** {ended, segments: [{number, name, init, seconds, at, levels}]}; `at`: when it was said, in ms since 1970. Throws if
 *  the text is not a playlist. */
export function parse(text) {
  const lines = text.split(/\r?\n/).filter(Boolean);
  if (lines[0] !== "#EXTM3U") throw new Error("no playlist");
  const segments = [];
  let [number, init, seconds, at, levels, ended] = [0, "", 0, 0, {}, false];
  for (const line of lines.slice(1)) {
    if (line.startsWith("#EXT-X-MEDIA-SEQUENCE:")) number = Number(value(line));
    else if (line.startsWith("#EXT-X-MAP:")) init = quoted(line, "URI");
    else if (line.startsWith("#EXT-X-PROGRAM-DATE-TIME:")) at = Date.parse(value(line));
    else if (line.startsWith("#EXT-X-SPACES-LEVELS:")) levels = loudness(value(line));
    else if (line.startsWith("#EXTINF:")) seconds = parseFloat(value(line));
    else if (line === "#EXT-X-ENDLIST") ended = true;
    else if (!line.startsWith("#")) {
      segments.push({ number: number++, name: line, init, seconds, at, levels });
      levels = {};
    }
  }
  return { ended, segments };
}

/** The segments of what was fetched; none if it is not a playlist, since a proxy may answer anything. */
export function segmentsIn(text) {
  try {
    return parse(text).segments;
  } catch {
    return [];
  }
}

/** The ways in which the sound is encoded: [{codec, name}]. */
export function ways(text) {
  const lines = text.split(/\r?\n/);
  const described = [...lines.keys()].filter((at) => lines[at].startsWith("#EXT-X-STREAM-INF:"));
  return described.map((at) => ({ codec: quoted(lines[at], "CODECS"), name: lines[at + 1] }));
}

/** Seconds of sound in these segments. */
export const length = (segments) => segments.reduce((sum, { seconds }) => sum + seconds, 0);

/** The last segments with enough sound to last until the next one is there; none if there is not enough. */
export function beginning(segments, enough) {
  const from = segments.findLastIndex((_, at) => length(segments.slice(at)) >= enough);
  return from < 0 ? [] : segments.slice(from);
}

/** The next buffered range [start, end] if nothing is buffered at `now`; null if something is, or nothing follows. */
export function hop(ranges, now, slack = 0.15) {
  if (ranges.some(([start, end]) => start <= now && now < end - slack)) return null;
  return ranges.find(([start]) => start > now) ?? null;
}

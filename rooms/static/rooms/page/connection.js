/** The state of the connection in words: what it is, and what is being done about it. */
import { count } from "frame/dom.js";

const words = (state, word, detail = "", quality = "") => ({ state, word, detail, quality });

/** {state: connecting, live, reconnecting or full; word; detail; quality: good, fair, poor or not known} of a room
 *  that one is in. */
export function connection(room) {
  if (room.phase === "reconnecting") {
    return words("reconnecting", gettext("reconnecting"), interpolate(
      gettext("The connection was lost. Connecting again, attempt %s. You keep your place."), [room.attempt]));
  }
  if (room.phase === "joining") {
    return words("connecting", gettext("connecting"), room.attempt > 1
      ? gettext("The server does not answer yet. Trying again.") : "");
  }
  return isLate(room) ? BY_FILES[room.listening.files.state](room) : BY_SOUND[room.sound.state](room);
}

/** Why one does not hear the Space now, in few words; empty where one does. */
export function trouble(room) {
  if (room.sound.blocked) return gettext("The sound is off");
  return TROUBLES[connection(room).state]?.() ?? "";
}

const TROUBLES = {
  connecting: () => gettext("Fetching the sound"),
  reconnecting: () => gettext("Connecting again"),
  full: () => gettext("Waiting for a place"),
};

/** Whether one hears the Space as files, a few seconds late. */
export const isLate = ({ listening }) => listening.files.on && listening.files.state !== "preparing";

/** As files: how late, and why. */
const BY_FILES = {
  connecting: () => words("connecting", gettext("connecting")),
  live: ({ listening, sound }) => words("live", late(listening.files.delay), CAUSED[listening.cause]?.(sound.place),
    listening.cause || "late"),
  reconnecting: () => words("reconnecting", gettext("reconnecting"), gettext("The sound stopped. Fetching it again.")),
};

const CAUSED = {
  crowded: (place) => (place
    ? interpolate(gettext("All places for live sound are taken, so you hear this Space a few seconds late. You are number %s in line for one."), [count(place)])
    : gettext("All places for live sound are taken, so you hear this Space a few seconds late.")),
  unreachable: () => gettext("Live sound does not get through your browser or network, so you hear this Space a few seconds late. Spaces keeps trying."),
};

function late(seconds) {
  if (seconds === null) return gettext("delayed by some seconds");
  const whole = Math.max(1, Math.round(seconds));
  return interpolate(ngettext("delayed by about %s second", "delayed by about %s seconds", whole), [count(whole)]);
}

const BY_SOUND = {
  off: () => words("connecting", gettext("connecting")),
  connecting: () => words("connecting", gettext("connecting")),
  live: (room) => live(room.state.connection),
  full: (room) => words("full", gettext("full"), waiting(room.sound.place)),
  reconnecting: (room) => words("reconnecting", gettext("reconnecting"), silence(room)),
};

/** Why nothing is heard, and what is done about it. */
function silence({ sound, listening }) {
  const attempt = [Math.max(1, sound.attempt)];
  if (!listening.isUnreachable) return interpolate(gettext("The sound stopped. Fetching it again, attempt %s."), attempt);
  if (listening.files.on) return gettext("Live sound does not get through. Loading the delayed sound.");
  return interpolate(
    gettext("Live sound does not get through, attempt %s. Check whether a VPN or a firewall blocks UDP, or try another network or browser."), attempt);
}

export const waiting = (place) => (place
  ? interpolate(gettext("All places for listening are taken. You are number %s in line; the sound starts by itself."), [count(place)])
  : gettext("All places for listening are taken. You get the next free one by yourself."));

const QUALITIES = { good: () => gettext("good"), fair: () => gettext("fair"), poor: () => gettext("poor") };

const ADVICE = () => gettext("Move closer to the router, or try another network.");
const CAUSES = {
  loss: (way) => (way === "out"
    ? gettext("Your network loses sound: the others hear you with gaps.") : gettext("Your network loses sound: words may be missing.")),
  jitter: (way) => (way === "out"
    ? gettext("Your network is uneven: the others hear you late or with gaps.") : gettext("Your network is uneven: sound comes late or with gaps.")),
  delay: () => gettext("Your network is slow: what you hear and say arrives late."),
};

/** What the media node says of the connection; at the beginning it does not know yet. */
function live(known) {
  if (!known) return words("live", gettext("live"));
  const detail = known.quality === "poor" ? `${CAUSES[known.why](known.way)} ${ADVICE()}` : "";
  return words("live", QUALITIES[known.quality](), detail, known.quality);
}

/** The state of the connection in words: what it is, and what is being done about it. */
import { count } from "frame/dom.js";
import { isUnreachable } from "rooms/hls/cause.js";

const words = (state, word, detail = "", quality = "") => ({ state, word, detail, quality });

/** {state, word, detail, quality} of a room that one is in. state: connecting, live, reconnecting or full. quality:
 *  good, fair or poor; late, crowded or unreachable for files; empty if unknown. */
export function connection(room) {
  if (room.phase === "reconnecting") {
    return words("reconnecting", gettext("reconnecting"), interpolate(
      gettext("The connection was lost. Reconnecting, attempt %s. You keep your place."), [room.attempt]));
  }
  if (room.phase === "joining") {
    return words("connecting", gettext("connecting"), room.attempt > 1
      ? gettext("The server has not answered yet. Trying again.") : "");
  }
  return isLate(room) ? BY_FILES[room.listening.files.state](room) : BY_SOUND[room.sound.state](room);
}

/** Why one does not hear the Space now, in a few words; empty if one does. */
export function trouble(room) {
  if (room.sound.blocked) return gettext("The sound is off");
  return TROUBLES[connection(room).state]?.() ?? "";
}

const TROUBLES = {
  connecting: () => gettext("Connecting the sound"),
  reconnecting: () => gettext("Reconnecting"),
  full: () => gettext("Waiting for a place"),
};

/** Whether one hears the Space as files, a few seconds late. */
export const isLate = ({ listening }) => !["off", "preparing", "ready"].includes(listening.files.state);

/** As files: how late, and why. */
const BY_FILES = {
  connecting: () => words("connecting", gettext("connecting")),
  live: ({ listening, sound }) => words("live", late(listening.files.delay), CAUSES[listening.cause]?.(sound),
    listening.cause || "late"),
  reconnecting: () => words("reconnecting", gettext("reconnecting"), gettext("The sound stopped. Reconnecting.")),
};

const CAUSES = {
  crowded: ({ place }) => (place
    ? interpolate(gettext("All places for live sound are taken, so you hear this Space a few seconds late. "
      + "You are number %s in line."), [count(place)])
    : gettext("All places for live sound are taken, so you hear this Space a few seconds late.")),
  unreachable: ({ impossible }) => (impossible
    ? gettext("This browser has no WebRTC, or it is turned off, so you hear this Space a few seconds late.")
    : gettext("Live sound does not get through your browser or network, so you hear this Space a few seconds late. "
      + "Spaces keeps trying.")),
};

function late(seconds) {
  if (seconds === null) return gettext("delayed by a few seconds");
  const whole = Math.max(1, Math.round(seconds));
  return interpolate(ngettext("delayed by about %s second", "delayed by about %s seconds", whole), [count(whole)]);
}

const BY_SOUND = {
  off: () => words("connecting", gettext("connecting")),
  connecting: () => words("connecting", gettext("connecting")),
  live: (room) => live(room.state.connection),
  full: (room) => words("full", gettext("waiting for a place"), waiting(room.sound.place)),
  reconnecting: (room) => words("reconnecting", gettext("reconnecting"), silence(room)),
};

/** Why nothing is heard, and what is done about it. */
function silence({ sound, listening }) {
  const attempt = [Math.max(1, sound.attempt)];
  if (!isUnreachable(sound)) return interpolate(gettext("The sound stopped. Reconnecting, attempt %s."), attempt);
  if (sound.impossible) {
    return gettext("This browser has no WebRTC, or it is turned off, so live sound does not work. Turn it on, or try "
      + "another browser.");
  }
  if (listening.files.on) return gettext("Live sound does not get through. Loading the delayed sound.");
  return interpolate(gettext("Live sound does not get through, attempt %s. Check whether a VPN or a firewall blocks "
    + "UDP, or try another network or browser."), attempt);
}

export const waiting = (place) => (place
  ? interpolate(gettext("All places are taken. You are number %s in line. The sound starts automatically."),
    [count(place)])
  : gettext("All places are taken. You will get the next free place automatically."));

const QUALITIES = { good: () => gettext("good"), fair: () => gettext("fair"), poor: () => gettext("poor") };

const ADVICE = () => gettext("Move closer to the router, or try another network.");
const REASONS = {
  loss: (way) => (way === "out"
    ? gettext("Your network loses sound: others hear you with gaps.")
    : gettext("Your network loses sound: words may be missing.")),
  jitter: (way) => (way === "out"
    ? gettext("Your network is uneven: others hear you late or with gaps.")
    : gettext("Your network is uneven: sound comes late or with gaps.")),
  delay: () => gettext("Your network is slow: what you hear and say arrives late."),
};

/** What the media node says about the connection. At the beginning it does not know yet. */
function live(known) {
  if (!known) return words("live", gettext("established"));
  const detail = known.quality === "poor" ? `${REASONS[known.why](known.way)} ${ADVICE()}` : "";
  return words("live", QUALITIES[known.quality](), detail, known.quality);
}

/** The state of the connection in words: what it is, and what is being done about it. */

const words = (state, word, detail = "") => ({ state, word, detail });

/** {state: connecting, live, reconnecting or full; word; detail} of a room that one is in. */
export function connection(room) {
  if (room.phase === "reconnecting") {
    return words("reconnecting", gettext("reconnecting"), interpolate(
      gettext("The connection was lost. Connecting again, attempt %s. You keep your place."), [room.attempt]));
  }
  if (room.phase === "joining") {
    return words("connecting", gettext("connecting"), room.attempt > 1
      ? gettext("The server does not answer yet. Trying again.") : "");
  }
  return BY_SOUND[room.sound.state](room);
}

const BY_SOUND = {
  off: () => words("connecting", gettext("connecting")),
  connecting: () => words("connecting", gettext("connecting")),
  live: () => words("live", gettext("live")),
  full: () => words("full", gettext("full"), gettext("All places for listening are taken. You get the next free one by yourself.")),
  reconnecting: (room) => words("reconnecting", gettext("reconnecting"), interpolate(
    gettext("The sound stopped. Fetching it again, attempt %s."), [Math.max(1, room.sound.attempt)])),
};

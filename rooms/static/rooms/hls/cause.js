/** Why files are needed without being chosen: crowded (no node took us), unreachable (no connection brings sound). */
import { facts } from "frame/facts.js";
import { myVoice } from "rooms/wire/state.js";

const TRIES = 2;  // connections without sound before files take their place

/** The cause now; "" for none. `before`: the last one, which holds until sound comes. */
export function causeOf({ sound, state }, before) {
  if (myVoice(state) || sound.state === "live") return "";
  if (sound.state === "full" && facts.hls) return "crowded";
  return isUnreachable(sound) && facts.hls ? "unreachable" : before;
}

/** Enough connections were tried, and none brought sound. */
export const isUnreachable = (sound) => sound.impossible || sound.unheard > TRIES;

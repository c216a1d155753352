/** Waiting for the event about my own microphone: it may come after the answer, and else one would decide by an old state. */
import { myVoice } from "rooms/wire/state.js";

const TOLD_WITHIN = 3000;

/** Until the Space knows my microphone as `mute`: open, self or host; or I am out of it, or no event comes. */
export function told(room, mute) {
  return new Promise((resolve) => {
    const timer = setTimeout(done, TOLD_WITHIN);
    const unsubscribe = room.subscribe(() => (!room.inside || myVoice(room.state)?.mute === mute) && queueMicrotask(done));
    function done() {
      clearTimeout(timer);
      unsubscribe();
      resolve();
    }
  });
}

/** Waits for the event about my own microphone, which may come after the answer. Before it the state is an old one. */
import { myVoice } from "rooms/wire/state.js";

const PATIENCE = 3000;  // ms

/** Resolves once my microphone is `mute` (open, self or host), once I have left, or if no event comes. */
export function ownVoiceIs(room, mute) {
  return new Promise((resolve) => {
    const timer = setTimeout(done, PATIENCE);
    const unsubscribe = room.subscribe(() => {
      if (!room.inside || myVoice(room.state)?.mute === mute) queueMicrotask(done);
    });
    function done() {
      clearTimeout(timer);
      unsubscribe();
      resolve();
    }
  });
}

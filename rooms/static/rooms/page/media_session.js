/** The lock screen and the keys of headsets, by the Media Session API of the browser. */
import { may } from "frame/facts.js";
import { myRole } from "rooms/wire/state.js";

export function connectMediaSession(room, speaking) {
  const { mediaSession } = navigator;
  if (!mediaSession) return;
  const handle = (action, act) => {
    try {
      mediaSession.setActionHandler(action, act);
    } catch {
      // This browser does not know the action.
    }
  };
  handle("play", () => room.sound.play());
  handle("pause", null);
  const leave = () => may(myRole(room.state), "leave") && room.leave();  // a host ends the Space, which needs the page
  handle("stop", leave);
  handle("hangup", leave);
  handle("togglemicrophone", () => speaking.toggle());
  let shown = "";
  room.subscribe(() => {
    mediaSession.playbackState = room.inside ? "playing" : "none";
    mediaSession.setMicrophoneActive?.(speaking.open);
    const { space, stage } = room.state;
    const title = room.inside && space ? space.title : "";
    if (title === shown) return;
    shown = title;
    const artist = stage.find((person) => person.role === "host")?.name ?? "";
    mediaSession.metadata = title ? new MediaMetadata({ title, artist, album: "Spaces" }) : null;
  });
}

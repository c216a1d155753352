/** Enters a Space. If one hosts another, a dialogue asks first, since that one ends without its host. */
import { confirmed } from "frame/confirm.js";
import { myRole } from "rooms/wire/state.js";

export async function enter(room, space) {
  const hosting = room.inside && room.space !== space && myRole(room.state) === "host";
  if (hosting && !await confirmed(leaving(room.state.space.title))) return;
  room.enter(space);
}

const leaving = (title) => ({
  title: gettext("Leave your own Space?"), action: gettext("Leave"),
  text: interpolate(gettext(
    "You host “%s”. Without you it goes on only for a short time, then it ends for everyone."), [title]),
});

/** What happened in the Space, in words for a screen reader: role changes, requests, the host's absence, the end. */
import { connection, isLate, waiting } from "rooms/page/connection.js";
import { may } from "frame/facts.js";
import { myRole } from "rooms/wire/state.js";
import { announce } from "frame/announcer.js";
import { say } from "frame/toast.js";

const LINE_EVERY = 10_000;

const tell = (text) => text && say(text);
const named = (text, name) => interpolate(text, [name]);
const on = (state, id) => state.stage.find((person) => person.participant === id);

const SENTENCES = {
  voice: (frame, before, after) => {
    const [old, { person }] = [on(before, frame.person.participant), frame];
    const me = person.participant === after.you.participant;
    if (!old) return me ? gettext("You are on the stage. Your microphone is closed.") : named(gettext("%s is on the stage."), person.name);
    if (me && person.mute === "host" && old.mute !== "host") return gettext("The host closed your microphone.");
    if (me && old.mute === "host" && person.mute !== "host") return gettext("The host lets you open your microphone again.");
    if (me && person.mute !== old.mute) return person.mute === "open" ? gettext("Microphone open.") : gettext("Microphone closed.");
    return "";
  },
  voice_gone: (frame, before, after) => {
    const person = on(before, frame.participant);
    if (!person) return "";
    if (person.participant !== after.you.participant) return named(gettext("%s left the stage."), person.name);
    return frame.why === "moved" ? gettext("The host moved you to the audience. You can still listen.") : gettext("You are listening now.");
  },
  asked: ({ request }, _, after) => may(myRole(after), "admit") ? named(gettext("%s asks to speak."), request.person.name) : "",
  request_gone: (frame, _, after) =>
    frame.participant === after.you.participant && frame.how === "declined" ? gettext("The host declined your request to speak.") : "",
  host_away: () => gettext("The host lost the connection. The Space goes on for a moment."),
  host_back: (_, before) => before.space.host_came ? gettext("The host is back.") : gettext("The host is here."),
  connection: ({ quality }, before) => {
    const [was, is] = [before.connection?.quality === "poor", quality === "poor"];
    if (was === is) return "";
    return is ? gettext("Your connection is poor.") : gettext("Your connection is better again.");
  },
};

export function sentence(frame, before, after) {
  return SENTENCES[frame.type]?.(frame, before, after) ?? "";
}

/** Did the host decide about me? Then it is shown, too, not only read out. */
function aboutMe(frame, before, after) {
  const [me, subject] = [after.you?.participant, frame.person?.participant ?? frame.participant];
  if (!me || subject !== me) return false;
  const mutes = [on(before, me)?.mute, on(after, me)?.mute];
  const [was, is] = mutes.map((mute) => mute === "host");
  return frame.how === "declined" || frame.why === "moved" || (frame.type === "voice" && mutes[0] !== undefined && was !== is);
}

const CLOSED = {
  left: () => gettext("You left the Space."),
  ended: () => gettext("The Space has ended."),
  removed: () => gettext("You were removed from this Space."),
  taken_over: () => gettext("You opened this Space in another tab. The sound goes on there."),
};

/** Whether one hears the Space, and with what delay. */
class Hearing {
  #state = "";
  #late = false;

  follow(room) {
    if (!room.inside) [this.#state, this.#late] = ["", false];
    if (room.phase !== "live") return;
    const { state, detail } = connection(room);
    const [before, late] = [this.#state, isLate(room)];
    this.#state = state;
    if (state === "live" && late !== this.#late) this.#tell(late, detail);
    else if (before === "live" && state === "reconnecting") announce(gettext("The sound stopped. Fetching it again."));
    else if (before === "reconnecting" && state === "live") announce(gettext("The sound is back."));
  }

  #tell(late, why) {
    this.#late = late;
    announce(late ? why || gettext("You hear the Space some seconds late now.") : gettext("You hear the Space without delay now."));
  }
}

/** My place in the line of those who wait for sound: a line that moves fast is not told step by step. */
class Line {
  #told = null;
  #at = 0;

  follow({ state, place }) {
    if (state !== "full") this.#told = null;
    else if (place !== this.#told && (!this.#told || place <= 1 || Date.now() - this.#at > LINE_EVERY)) this.#tell(place);
  }

  #tell(place) {
    [this.#told, this.#at] = [place, Date.now()];
    announce(waiting(place));
  }
}

/** Follows a room from now on. */
export function connectAnnouncer(room) {
  let [phase, blocked] = [room.phase, false];
  const [line, hearing] = [new Line(), new Hearing()];
  room.subscribe((_, frame, before) => {
    if (frame) (aboutMe(frame, before, room.state) ? tell : announce)(sentence(frame, before, room.state));
    if (room.phase !== phase && room.phase === "closed") announce(CLOSED[room.closed]?.());
    if (room.phase !== phase && room.phase === "reconnecting") announce(gettext("The connection was lost. Connecting again."));
    hearing.follow(room);
    line.follow(room.sound);
    if (room.sound.blocked && !blocked) announce(gettext("Your browser waits for a click before it plays sound."));
    [phase, blocked] = [room.phase, room.sound.blocked];
  });
}

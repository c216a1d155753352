/** Says for screen readers what happens in the Space: role changes, requests, the host's absence, the end. */
import { announce } from "frame/announcer.js";
import { may } from "frame/facts.js";
import { say } from "frame/toast.js";
import { Hearing, QueuePlace } from "rooms/page/announce_sound.js";
import { myRole } from "rooms/wire/state.js";

const named = (text, name) => interpolate(text, [name]);
const onStage = (state, id) => state.stage.find((person) => person.participant === id);
const isMe = (participant, state) => participant === state.you?.participant;

const SENTENCES = {
  voice: ({ person }, before, after) => {
    const old = onStage(before, person.participant);
    if (isMe(person.participant, after)) return aboutMyVoice(old, person);
    return old ? "" : named(gettext("%s is on stage."), person.name);
  },
  voice_gone: (frame, before, after) => {
    const person = onStage(before, frame.participant);
    if (!person) return "";
    if (!isMe(person.participant, after)) return named(gettext("%s left the stage."), person.name);
    if (frame.why !== "moved") return gettext("You are listening now.");
    return gettext("The host moved you to the audience. You can still listen.");
  },
  asked: ({ request }, _, after) =>
    (may(myRole(after), "admit") ? named(gettext("%s asks to speak."), request.person.name) : ""),
  request_gone: (frame, _, after) => {
    const declined = isMe(frame.participant, after) && frame.how === "declined";
    return declined ? gettext("The host declined your request to speak.") : "";
  },
  host_away: () => gettext("The host lost their connection. The Space goes on for a short time."),
  host_back: (_, before) => (before.space.host_came ? gettext("The host is back.") : gettext("The host is here.")),
  connection: ({ quality }, before) => {
    const [was, is] = [before.connection?.quality === "poor", quality === "poor"];
    if (was === is) return "";
    return is ? gettext("Your connection is poor.") : gettext("Your connection has improved.");
  },
};

function aboutMyVoice(old, person) {
  if (!old) return gettext("You are on stage. You are muted.");
  if (person.mute === old.mute) return "";
  if (person.mute === "host") return gettext("The host muted you.");
  if (old.mute === "host") return gettext("The host lets you speak again. You are still muted.");
  return person.mute === "open" ? gettext("You are unmuted.") : gettext("You are muted.");
}

const sentence = (frame, before, after) => SENTENCES[frame.type]?.(frame, before, after) ?? "";

/** Whether the host has decided about me. Then a toast shows the sentence, too. */
function isDecision(frame, before, after) {
  const subject = frame.person?.participant ?? frame.participant;
  if (!subject || !isMe(subject, after)) return false;
  if (frame.how === "declined" || frame.why === "moved") return true;
  const [was, is] = [onStage(before, subject)?.mute, onStage(after, subject)?.mute];
  return frame.type === "voice" && was !== undefined && (was === "host") !== (is === "host");
}

const CLOSED = {
  left: () => gettext("You left the Space."),
  ended: () => gettext("The Space has ended."),
  removed: () => gettext("You were removed from this Space."),
  taken_over: () => gettext("You opened this Space in another tab. The sound goes on there."),
};
const PHASES = {
  closed: (room) => CLOSED[room.closed]?.(),
  reconnecting: () => gettext("The connection was lost. Reconnecting."),
};

/** Follows a room from now on. */
export function connectAnnouncer(room) {
  let [phase, blocked] = [room.phase, false];
  const [hearing, place] = [new Hearing(), new QueuePlace()];
  room.subscribe((_, frame, before) => {
    if (frame) tell(sentence(frame, before, room.state), isDecision(frame, before, room.state));
    if (room.phase !== phase) announce(PHASES[room.phase]?.(room));
    hearing.follow(room);
    place.follow(room.sound);
    if (room.sound.blocked && !blocked) announce(gettext("Your browser needs a click before it plays sound."));
    [phase, blocked] = [room.phase, room.sound.blocked];
  });
}

/** Toasts are a live region of their own. */
function tell(text, shown) {
  if (text && shown) say(text);
  else announce(text);
}

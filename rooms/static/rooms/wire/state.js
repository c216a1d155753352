/** The state of the Space in this page: (state, frame) -> state. Nothing here touches the page or the network. */

import { facts } from "frame/facts.js";

const ASKED_IN = 0.5;  // ms that the server may take for the ping of one listener

export function initial() {
  return {
    seq: -1, space: null, you: null, stage: [], requests: [], faces: [], stale: false, listeners: 0, levels: {},
    standing: 0, inEffect: 0, clock: 0, ended: null, removed: false, connection: null,
  };
}

const without = (people, id) => people.filter((person) => person.participant !== id);
const put = (people, person) => {
  const at = people.findIndex((other) => other.participant === person.participant);
  return at < 0 ? [...people, person] : people.with(at, person);
};
const standing = (state, frame) => Math.max(state.standing, frame.standing);

/** The node repeats what is not good. A good connection before a snapshot counts as good until then. */
const isGood = ({ quality, arrives }) => quality === "good" && arrives;

const HANDLERS = {
  snapshot: (state, frame) => ({
    ...initial(), seq: frame.seq, space: frame.space, you: frame.you, stage: frame.stage, requests: frame.requests,
    faces: frame.faces, stale: frame.listeners > facts.faces, listeners: frame.listeners,
    standing: frame.standing, inEffect: frame.in_effect, clock: frame.now * 1000 - Date.now(),
    connection: state.connection && isGood(state.connection) ? state.connection : null,
  }),
  voice: (state, frame) => ({
    ...state, stage: put(state.stage, frame.person), faces: without(state.faces, frame.person.participant),
    standing: standing(state, frame),
  }),
  voice_gone: (state, frame) => {
    const gone = state.stage.find((person) => person.participant === frame.participant);
    const stays = gone && (frame.why === "stepped_down" || frame.why === "moved");
    return {
      ...state, stage: without(state.stage, frame.participant), standing: standing(state, frame),
      faces: stays ? put(state.faces, { ...gone, role: "listener", mute: "self" }) : state.faces,
    };
  },
  asked: (state, frame) => ({
    ...state,
    requests: [...state.requests.filter((other) => other.request !== frame.request.request), frame.request],
  }),
  request_gone: (state, frame) => ({
    ...state, requests: state.requests.filter((other) => other.request !== frame.request),
  }),
  removed: (state, frame) => ({
    ...state, stage: without(state.stage, frame.participant), faces: without(state.faces, frame.participant),
    requests: state.requests.filter((other) => other.person.participant !== frame.participant),
    standing: standing(state, frame), removed: state.removed || frame.participant === state.you?.participant,
  }),
  host_away: (state, frame) => ({ ...state, space: { ...state.space, host_away_until: frame.until } }),
  host_back: (state) => ({ ...state, space: { ...state.space, host_came: true, host_away_until: null } }),
  ended: (state, frame) => ({ ...state, ended: frame.why }),
  audience: (state, frame) => ({
    ...state, listeners: frame.listeners, stale: state.stale || frame.listeners > facts.faces,
    faces: frame.entered
      .filter((person) => !state.stage.some((other) => other.participant === person.participant))
      .reduce(put, state.faces.filter((person) => !frame.left.includes(person.participant))),
  }),
  levels: (state, frame) => ({ ...state, levels: frame.levels }),
  connection: (state, { quality, why, way, arrives }) => ({ ...state, connection: { quality, why, way, arrives } }),
  notice_accepted: (state) => ({ ...state, you: { ...state.you, notice_accepted: true } }),
  in_effect: (state, frame) => ({ ...state, inEffect: Math.max(state.inEffect, frame.standing) }),
};

const numbered = (frame) => frame.seq !== undefined && frame.type !== "snapshot";

/** Frames are missing before this one, so a new snapshot is needed. Before the first snapshot nothing is missed. */
export const missed = (state, frame) => state.seq >= 0 && numbered(frame) && frame.seq > state.seq + 1;

/** The faces were not kept up to date for a while, and will be from now on, so a new snapshot is needed. */
export const outdated = (state) => state.stale && state.listeners <= facts.faces;

/** This frame is part of the state already, or will be part of the first snapshot. */
export const stale = (state, frame) => numbered(frame) && (state.seq < 0 || frame.seq <= state.seq);

/** The next state. */
export function reduce(state, frame) {
  const handler = HANDLERS[frame.type];
  if (!handler || stale(state, frame)) return state;
  const next = handler(state, frame);
  return frame.seq === undefined ? next : { ...next, seq: frame.seq };
}

/** Myself on the stage; undefined if I listen. */
export const myVoice = (state) => state.stage.find((person) => person.participant === state.you?.participant);
export const myRole = (state) => myVoice(state)?.role ?? "listener";

/** More ms for the server to answer when no sound arrives. When a node dies all listeners ask at once; on the stage few
 *  do. */
export const patience = (state) => (myVoice(state) ? 0 : state.listeners * ASKED_IN);

/** My place among the requests to speak, from 1; 0 if I have not asked. */
export const myPlace = (state) =>
  state.requests.findIndex((request) => request.person.participant === state.you?.participant) + 1;

export const requestOf = (state, participant) =>
  state.requests.find((request) => request.person.participant === participant);

/** The sound does not yet follow what the page shows. */
export const notYetInEffect = (state) => state.inEffect < state.standing;

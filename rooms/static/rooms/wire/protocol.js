/** The wire: every command and event with its fields, as in rooms/protocol.py (a test holds the two together). */

export const COMMANDS = {
  "sync": [],
  "ping": [],
  "offer": ["sdp", "restart", "node"],
  "hear": ["files", "chosen"],
  "relay": [],
  "ask": ["text"],
  "withdraw": [],
  "admit": ["request"],
  "decline": ["request"],
  "accept_notice": [],
  "microphone": ["open"],
  "step_down": [],
  "mute": ["participant"],
  "unmute": ["participant"],
  "move_to_audience": ["participant"],
  "remove": ["participant"],
  "block": ["participant"],
  "invite": ["handles"],
  "react": ["emoji"],
  "leave": [],
  "end": []
};

export const EVENTS = {
  "snapshot": ["seq", "version", "now", "space", "you", "stage", "requests", "listeners", "faces", "standing", "in_effect", "node"],
  "voice": ["seq", "person", "standing"],
  "voice_gone": ["seq", "participant", "why", "standing"],
  "asked": ["seq", "request"],
  "request_gone": ["seq", "request", "participant", "how"],
  "removed": ["seq", "participant", "standing"],
  "host_away": ["seq", "until"],
  "host_back": ["seq"],
  "ended": ["seq", "why"],
  "audience": ["listeners", "entered", "left"],
  "reactions": ["counts"],
  "levels": ["levels"],
  "in_effect": ["standing"],
  "connection": ["quality", "why", "way", "arrives"],
  "sound_moved": ["node"],
  "sound_moving": ["node", "step", "within"],
  "waiting": ["place"],
  "answer": ["sdp", "node", "re"],
  "files": ["hls", "folder", "signed", "seconds", "re"],
  "ice_servers": ["servers", "seconds", "re"],
  "ok": ["re"],
  "invited": ["new", "re"],
  "error": ["code", "text", "re"]
};

/** Close codes after which the page does not come back by itself, and the calm screen that each one leads to. */
export const FINAL_CLOSES = {
  "4400": "taken_over",
  "4401": "log_in",
  "4403": "removed",
  "4404": "not_found",
  "4410": "ended"
};

/** A command ready to be sent. Throws on an unknown type or field, so that a slip shows here and not on the server. */
export function command(type, fields, id) {
  const known = COMMANDS[type];
  if (!known) throw new Error(`no such command: ${type}`);
  const stranger = Object.keys(fields).find((name) => !known.includes(name));
  if (stranger) throw new Error(`${type} has no field ${stranger}`);
  return JSON.stringify({ type, id, ...fields });
}

/** One frame of the server, or null for what this page does not know. */
export function event(text) {
  const frame = JSON.parse(text);
  return frame.type in EVENTS ? frame : null;
}

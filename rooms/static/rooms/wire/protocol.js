/** The wire: every command, event and close code. A test compares it with rooms/protocol/ on the server. */

export const COMMANDS = {
  "sync": [],
  "ping": [],
  "offer": ["sdp", "restart", "boot"],
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
  "snapshot": [
    "seq", "version", "now", "space", "you", "stage", "requests", "listeners", "faces", "standing", "in_effect", "boot"
  ],
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
  "sound_moved": ["boot"],
  "sound_moving": ["boot", "step", "within"],
  "waiting": ["place"],
  "answer": ["sdp", "boot", "re"],
  "files": ["hls", "folder", "signed", "seconds", "re"],
  "ice_servers": ["servers", "seconds", "re"],
  "ok": ["re"],
  "invited": ["new", "re"],
  "error": ["code", "text", "re"]
};

/** What the server means by closing a websocket. */
export const CLOSES = {
  "1009": "too_big",
  "4400": "taken_over",
  "4401": "log_in",
  "4403": "removed",
  "4404": "not_found",
  "4408": "left",
  "4410": "ended",
  "4429": "too_many_frames"
};

/** After these the page does not connect again. Each one leads to the screen of its name. */
export const FINAL_CLOSES = ["taken_over", "log_in", "removed", "not_found", "ended"];

/** How the page itself closes a websocket (RFC 6455, 7.4.1). */
export const NORMAL_CLOSE = 1000;

/** A command as text. Throws on an unknown type or field, so that a mistake shows here and not on the server. */
export function command(type, fields, id) {
  const names = COMMANDS[type];
  if (!names) throw new Error(`no such command: ${type}`);
  const unknown = Object.keys(fields).find((name) => !names.includes(name));
  if (unknown) throw new Error(`${type} has no field ${unknown}`);
  return JSON.stringify({ type, id, ...fields });
}

/** One frame of the server, or null if this page does not know its type. */
export function event(text) {
  const frame = JSON.parse(text);
  return frame.type in EVENTS ? frame : null;
}

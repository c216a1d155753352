/** The players of the desk: jump to the moment of a report, load other parts, keys. Nothing plays until started. */
const SOFT = 0.35;
const box = document.querySelector("[data-players]");
const lead = Number(box.dataset.lead);
const most = Number(box.dataset.most);
const loadedAt = performance.now();
const jumps = [...document.querySelectorAll("[data-jump]")];
const players = [...box.querySelectorAll("[data-player]")].map(makePlayer);
let current = players[0];

/** One audio element and the part of the Space that it has loaded, in ms of room time. */
function makePlayer(root) {
  const audio = root.querySelector("audio");
  const player = { root, audio, from: Number(root.dataset.from), to: Number(root.dataset.to) };
  audio.volume = SOFT;
  audio.addEventListener("play", () => choose(player));
  audio.addEventListener("timeupdate", () => show(player));
  audio.addEventListener("loadedmetadata", () => show(player));
  audio.addEventListener("error", () => say(root.dataset.failed));
  return player;
}

function clock(milliseconds) {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  const tail = String(seconds % 60).padStart(2, "0");
  return hours ? `${hours}:${String(minutes).padStart(2, "0")}:${tail}` : `${minutes}:${tail}`;
}

const say = (text) => { box.querySelector("[data-message]").textContent = text ?? ""; };
const heard = (player) => player.from + player.audio.currentTime * 1000;

function show(player) {
  const { audio, root, from } = player;
  root.querySelector("[data-at]").textContent = clock(heard(player));
  const end = Number.isFinite(audio.duration) ? from + audio.duration * 1000 : player.to;
  root.querySelector("[data-loaded]").textContent = `${clock(from)}–${clock(end)}`;
  document.dispatchEvent(new CustomEvent("desk:heard", { detail: heard(player) }));
}

/** Makes this player the current one and pauses the others. */
function choose(player) {
  current = player;
  for (const other of players) {
    other.root.toggleAttribute("data-chosen", other === player);
    if (other !== player) other.audio.pause();
  }
}

/** Plays from a moment of room time. Loads another part if needed; `fresh` loads it in any case. */
function playFrom(moment, fresh = false) {
  const { audio } = current;
  const start = Math.max(0, moment);
  if (fresh || start < current.from || start >= current.to) load(current, start);
  const seek = () => { audio.currentTime = (start - current.from) / 1000; };
  if (audio.readyState >= HTMLMediaElement.HAVE_METADATA) seek();
  else audio.addEventListener("loadedmetadata", seek, { once: true });
  say(audio.muted ? box.dataset.muted : "");
  audio.play().catch(() => say(current.root.dataset.failed));
}

function load(player, start) {
  player.from = Math.floor(start);
  player.to = player.from + Math.min(most, 4 * lead);
  player.audio.src = `${player.root.dataset.player}?from=${player.from}&to=${player.to}`;
}

const newest = () => playFrom(Number(box.dataset.now) + performance.now() - loadedAt - 2 * lead, true);
const jump = (button) => button && playFrom(Number(button.dataset.jump) - lead);
const toggle = () => (current.audio.paused ? current.audio.play() : current.audio.pause());

function other() {
  const at = heard(current);
  const playing = !current.audio.paused;
  const muted = current.audio.muted;
  choose(players[(players.indexOf(current) + 1) % players.length]);
  current.audio.muted = muted;
  if (playing) playFrom(at);
}

const KEYS = {
  p: toggle,
  m: () => { current.audio.muted = !current.audio.muted; say(""); },
  o: other,
  ArrowLeft: () => playFrom(heard(current) - 5000),
  ArrowRight: () => playFrom(heard(current) + 5000),
};

/** On a layout without Latin letters, the letter at that place of a Latin one. */
function byPlace({ key, code }) {
  const other = /^\p{L}$/u.test(key) && !/^\p{Script=Latin}$/u.test(key);
  return other ? KEYS[code.replace(/^Key/, "").toLowerCase()] : undefined;
}

document.addEventListener("keydown", (event) => {
  const typing = event.target.closest("textarea, input, select, audio");
  if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
  const act = /^[1-9]$/.test(event.key) ? () => jump(jumps[event.key - 1]) : KEYS[event.key] ?? byPlace(event);
  if (!act) return;
  event.preventDefault();
  act();
});
for (const button of jumps) button.addEventListener("click", () => jump(button));
for (const button of box.querySelectorAll("[data-step]")) {
  button.addEventListener("click", () => playFrom(heard(current) + Number(button.dataset.step)));
}
box.querySelector("[data-newest]")?.addEventListener("click", newest);
document.addEventListener("desk:wanted", ({ detail }) => playFrom(detail));
choose(current);

/** Single keys. They can be turned off, all but the one for help (WCAG 2.1.4), and do nothing while one types. */
import { keep, kept } from "frame/kept.js";

const KEPT = "spaces:keys";
const TYPING = "input, textarea, select, [contenteditable], dialog[open]";

const keysOn = () => kept(KEPT) !== "off";

/** acts: {m: f, h: f, ...}; each is called only for the key alone. */
export function connectKeys(acts) {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
    if (event.target.closest?.(TYPING) || document.querySelector("dialog[open]")) return;
    const name = keyName(event);
    const act = acts[name];
    if (!act || (name !== "?" && !keysOn())) return;
    event.preventDefault();
    act();
  });
}

/** The letter or sign of a key. On a layout without Latin letters, it is the letter at that place of a Latin one. */
export function keyName({ key = "", code = "" }) {
  if (key === "\u061f") return "?";  // of Arabic
  const other = /^\p{L}$/u.test(key) && !/^\p{Script=Latin}$/u.test(key);
  return (other && /^Key([A-Z])$/.exec(code)?.[1] || key).toLowerCase();
}

/** The help popover's checkbox. */
export function connectKeysSwitch(checkbox) {
  checkbox.checked = keysOn();
  checkbox.addEventListener("change", () => keep(KEPT, checkbox.checked ? "on" : "off"));
}

/** Single keys. They can be turned off, all but the one for help (WCAG 2.1.4), and do nothing while one types. */

const KEPT = "spaces:keys";
const TYPING = "input, textarea, select, [contenteditable], dialog[open]";

const keysOn = () => localStorage.getItem(KEPT) !== "off";

/** acts: {m: f, h: f, ...}; each is called only for the key alone. */
export function connectKeys(acts) {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
    if (event.target.closest?.(TYPING) || document.querySelector("dialog[open]")) return;
    const act = acts[event.key.toLowerCase()];
    if (!act || (event.key !== "?" && !keysOn())) return;
    event.preventDefault();
    act();
  });
}

/** The help popover's checkbox. */
export function connectKeysSwitch(checkbox) {
  checkbox.checked = keysOn();
  checkbox.addEventListener("change", () => localStorage.setItem(KEPT, checkbox.checked ? "on" : "off"));
}

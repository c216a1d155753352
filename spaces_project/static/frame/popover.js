/** Popovers open beside their button, inside the window. */

const GAP = 8;

/** Puts an open popover above (or below) its button. A script does it, as the pages refuse styles in HTML. */
export function place(popover, button) {
  const [at, size] = [button.getBoundingClientRect(), popover.getBoundingClientRect()];
  const above = at.top - size.height - GAP;
  const top = above >= GAP ? above : Math.min(at.bottom + GAP, innerHeight - size.height - GAP);
  const left = at.left + at.width / 2 - size.width / 2;
  popover.style.top = `${Math.max(GAP, top)}px`;
  popover.style.left = `${Math.max(GAP, Math.min(left, document.documentElement.clientWidth - size.width - GAP))}px`;
}

/** Opens it beside the button, or closes it. Focus goes to its first control; on Escape it goes back to the button. */
export function toggle(popover, button) {
  if (popover.matches(":popover-open")) {
    popover.hidePopover();
    return;
  }
  popover.showPopover();
  place(popover, button);
  popover.querySelector("a, button, input")?.focus();
  button.setAttribute("aria-expanded", "true");
  popover.addEventListener("toggle", function closed({ newState }) {
    if (newState !== "closed") return;
    popover.removeEventListener("toggle", closed);
    button.setAttribute("aria-expanded", "false");
    if (popover.contains(document.activeElement) || document.activeElement === document.body) button.focus();
  });
}

/** Closes popovers and dialogues. */
export function closeAll() {
  document.querySelectorAll("dialog[open]").forEach((dialog) => dialog.close());
  document.querySelectorAll(":popover-open").forEach((popover) => popover.hidePopover());
}

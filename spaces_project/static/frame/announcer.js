/** The live region of the page: sentences for screen readers. */
const region = document.getElementById("announcer");

/** Announce one sentence. The same sentence twice is read twice. */
export function announce(text) {
  if (!text) return;
  region.textContent = "";
  setTimeout(() => { region.textContent = text; }, 30);
}

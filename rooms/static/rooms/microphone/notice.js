/** The dialogue of the microphone: device and level, and before it opens for the first time in a Space the notice. */
import { el } from "frame/dom.js";

const dialog = document.getElementById("microphone-dialog");
const part = (name) => dialog.querySelector(`[data-microphone="${name}"]`);

/** Shows the notice. A promise: whether it was accepted. The microphone is open then, else closed. */
export async function askNotice(microphone) {
  const accepted = () => dialog.returnValue === "accept";
  await show(microphone, true, { closed: () => accepted() || microphone.close() });
  return accepted();
}

/** Device and level. changed(): another track took the place of the one before. closed(): the dialogue no longer needs
 *  the microphone. */
export const chooseDevice = (microphone, handlers) => show(microphone, false, handlers);

async function show(microphone, first, { changed = () => {}, closed }) {
  part("notice").hidden = part("title-first").hidden = part("later").hidden = !first;
  part("title").hidden = first;
  part("accept").hidden = !first;
  part("done").hidden = first;
  dialog.setAttribute("aria-labelledby", first ? "microphone-title-first" : "microphone-title");
  dialog.returnValue = "";
  dialog.showModal();
  const stop = meter(part("level"), () => microphone.level());
  const refresh = async () => {
    await listen(microphone);
    if (!dialog.open) closed();  // while the browser asked
  };
  const change = async () => {
    microphone.device = part("device").value;
    microphone.close();
    await refresh();
    changed();
  };
  const choose = () => { microphone.watched = part("watch").checked; };
  part("watch").checked = microphone.watched;
  part("watch").addEventListener("change", choose);
  part("device").addEventListener("change", change);
  navigator.mediaDevices?.addEventListener("devicechange", refresh);
  refresh();
  await new Promise((resolve) => dialog.addEventListener("close", resolve, { once: true }));
  part("watch").removeEventListener("change", choose);
  part("device").removeEventListener("change", change);
  navigator.mediaDevices?.removeEventListener("devicechange", refresh);
  stop();
  closed();
}

/** Opens the microphone for the meter, lists the devices, shows what is wrong. */
async function listen(microphone) {
  part("error").hidden = true;
  part("accept").disabled = true;
  try {
    if (microphone.track?.readyState !== "live") await microphone.open();
    part("accept").disabled = false;
  } catch (error) {
    part("error").hidden = false;
    part("error").textContent = error.message;
  }
  const devices = await microphone.devices().catch(() => []);
  part("device").replaceChildren(...devices.map(({ id, label }) => el("option", { value: id }, label)));
  if (devices.some(({ id }) => id === microphone.device)) part("device").value = microphone.device;
}

/** Lets a bar follow a level from 0 to 1. Returns the function that stops it. */
export function meter(element, level) {
  let shown = "";
  const timer = setInterval(() => {
    const now = level().toFixed(2);
    if (now !== shown) element.style.setProperty("--level", now);
    shown = now;
  }, 60);
  return () => clearInterval(timer);
}

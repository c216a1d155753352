/** The dialogue before the microphone opens for the first time in a Space: notice, device, level. Later: device and level. */
import { el } from "rooms/dom.js";

const dialog = document.getElementById("microphone-dialog");
const part = (name) => dialog.querySelector(`[data-microphone="${name}"]`);

/** Shows the notice; true once it was accepted. The microphone is open then, else closed. */
export async function askNotice(microphone) {
  const accepted = await show(microphone, true);
  if (!accepted) microphone.close();
  return accepted;
}

/** Device and level of an open or closed microphone; true where another device was chosen. */
export async function chooseDevice(microphone) {
  const [before, open] = [microphone.device, microphone.track !== null];
  await show(microphone, false);
  if (!open) microphone.close();
  return microphone.device !== before;
}

async function show(microphone, first) {
  part("notice").hidden = part("title-first").hidden = part("later").hidden = !first;
  part("title").hidden = first;
  part("accept").hidden = !first;
  part("done").hidden = first;
  dialog.setAttribute("aria-labelledby", first ? "microphone-title-first" : "microphone-title");
  dialog.returnValue = "";
  dialog.showModal();
  const stop = meter(part("level"), () => microphone.level());
  const refresh = () => listen(microphone);
  const change = () => { microphone.device = part("device").value; microphone.close(); refresh(); };
  part("device").addEventListener("change", change);
  navigator.mediaDevices?.addEventListener("devicechange", refresh);
  refresh();
  await new Promise((resolve) => dialog.addEventListener("close", resolve, { once: true }));
  part("device").removeEventListener("change", change);
  navigator.mediaDevices?.removeEventListener("devicechange", refresh);
  stop();
  return dialog.returnValue === "accept";
}

/** Open the microphone for the meter, list the devices, say what is wrong. */
async function listen(microphone) {
  part("error").hidden = true;
  try {
    if (!microphone.track) await microphone.open();
    part("accept").disabled = false;
  } catch (error) {
    part("error").hidden = false;
    part("error").textContent = error.message;
    part("accept").disabled = true;
  }
  const devices = await microphone.devices().catch(() => []);
  part("device").replaceChildren(...devices.map(({ id, label }) => el("option", { value: id }, label)));
  if (devices.some(({ id }) => id === microphone.device)) part("device").value = microphone.device;
  if (!dialog.open && dialog.returnValue !== "accept") microphone.close();  // closed while the browser asked
}

/** A bar that follows a level from 0 to 1, until the answer is called. */
export function meter(element, level) {
  let shown = "";
  const timer = setInterval(() => {
    const now = level().toFixed(2);
    if (now !== shown) element.style.setProperty("--level", now);
    shown = now;
  }, 60);
  return () => clearInterval(timer);
}

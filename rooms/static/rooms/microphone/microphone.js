/** The microphone: opens and closes the device, and measures how loud it is. */
import { keep, kept } from "frame/kept.js";

const KEPT_DEVICE = "spaces:microphone";
const KEPT_WATCH = "spaces:watch-closed-microphone";
const DEAD = 1 / 32768;  // the smallest step of 16 bits: even a quiet room is more
const FAILURES = new Map([
  ["NotAllowedError", () => gettext(
    "Your browser does not let this page use the microphone. Allow it in the address bar, then try again.")],
  ["NotFoundError", () => gettext("No microphone was found. Plug one in, then try again.")],
  ["NotReadableError", () => gettext("Another program is using the microphone. Close that program, then try again.")],
]);

/** Browsers hide all microphones from pages that did not come over HTTPS or from this machine. */
const noDevices = () => (window.isSecureContext
  ? gettext("This browser has no microphone for pages. Try another browser.")
  : gettext("Browsers open the microphone on pages with https:// only. Open Spaces at its https:// address."));

export class Microphone {
  track = null;
  #context = null;
  #analyser = null;
  #samples = null;

  get device() {
    return kept(KEPT_DEVICE) ?? "";
  }

  set device(id) {
    keep(KEPT_DEVICE, id);
  }

  /** The member's choice: keep the device while muted, so that the page can say that they talk while muted. */
  get watched() {
    return kept(KEPT_WATCH) !== "no";
  }

  set watched(wanted) {
    keep(KEPT_WATCH, wanted ? "yes" : "no");
  }

  /** Opens the chosen device, which may ask for permission. Rejects with an Error whose text says what to do. */
  async open() {
    this.close();
    if (!navigator.mediaDevices) throw new Error(noDevices());
    const wanted = { echoCancellation: true, noiseSuppression: true, autoGainControl: true };
    if (this.device) wanted.deviceId = { ideal: this.device };
    try {
      const stream = await navigator.mediaDevices.getUserMedia({ audio: wanted });
      this.close();  // another call may have opened it while the browser asked
      this.track = stream.getAudioTracks()[0];
      this.#measure(stream);
    } catch (error) {
      const text = FAILURES.get(error.name)?.() ?? gettext("The microphone could not be opened.");
      throw new Error(text, { cause: error });
    }
    return this.track;
  }

  close() {
    this.track?.stop();
    this.track = null;
    this.#context?.close();
    this.#context = this.#analyser = null;
  }

  /** 0 to 1, of the last 20 ms. */
  level() {
    if (!this.#analyser) return 0;
    const samples = this.#latest();
    const power = samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length;
    const decibels = 10 * Math.log10(power + 1e-9);
    return Math.min(1, Math.max(0, (decibels + 60) / 50));
  }

  /** The device gives nothing, not even noise: it is switched off, or muted by a key or the system. */
  get dead() {
    return this.#context?.state === "running" && this.#latest().every((sample) => Math.abs(sample) < DEAD);
  }

  #latest() {
    this.#analyser.getFloatTimeDomainData(this.#samples);
    return this.#samples;
  }

  /** A promise of [{id, label}] of the microphones of this machine. Labels are known once permission was given. */
  async devices() {
    const all = await navigator.mediaDevices.enumerateDevices();
    const microphones = all.filter((device) => device.kind === "audioinput" && device.deviceId);
    const numbered = (number) => interpolate(gettext("Microphone %s"), [number]);
    return microphones.map(({ deviceId, label }, at) => ({ id: deviceId, label: label || numbered(at + 1) }));
  }

  /** A meter that fails costs the meter, not the microphone. */
  #measure(stream) {
    try {
      this.#connectMeter(stream);
    } catch (error) {
      console.warn("The level of the microphone cannot be measured.", error);
      this.#context?.close();
      this.#context = this.#analyser = null;
    }
  }

  #connectMeter(stream) {
    this.#context = new AudioContext();
    this.#context.resume();  // some browsers start it suspended
    this.#analyser = this.#context.createAnalyser();
    this.#analyser.fftSize = 1024;
    this.#samples = new Float32Array(this.#analyser.fftSize);
    this.#context.createMediaStreamSource(stream).connect(this.#analyser);
  }
}

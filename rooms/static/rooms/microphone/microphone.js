/** The microphone: opening, closing, which device, and how loud one is. */

const KEPT_DEVICE = "spaces:microphone";
const KEPT_WATCH = "spaces:watch-closed-microphone";
const DEAD = 1 / 32768;  // the smallest step of 16 bits: even a quiet room is more
const MEANS = new Map([
  ["NotAllowedError", () => gettext("The browser does not let this page use the microphone. Allow it in the address bar, then try again.")],
  ["NotFoundError", () => gettext("No microphone was found. Plug one in, then try again.")],
  ["NotReadableError", () => gettext("Another program holds the microphone. Close it there, then try again.")],
]);

export class Microphone {
  track = null;
  #context = null;
  #analyser = null;
  #samples = null;

  get device() {
    return localStorage.getItem(KEPT_DEVICE) ?? "";
  }

  set device(id) {
    localStorage.setItem(KEPT_DEVICE, id);
  }

  /** The member's choice: stay with the device while the microphone is closed, to say so when he talks. */
  get watched() {
    return localStorage.getItem(KEPT_WATCH) !== "no";
  }

  set watched(wanted) {
    localStorage.setItem(KEPT_WATCH, wanted ? "yes" : "no");
  }

  /** Opens the chosen device (asks for permission where needed). Throws an Error whose text says how to mend it. */
  async open() {
    this.close();
    const wanted = { echoCancellation: true, noiseSuppression: true, autoGainControl: true };
    if (this.device) wanted.deviceId = { ideal: this.device };
    try {
      const stream = await navigator.mediaDevices.getUserMedia({ audio: wanted });
      this.close();  // what another call opened while the browser asked
      this.track = stream.getAudioTracks()[0];
      this.#measure(stream);
    } catch (error) {
      const text = MEANS.get(error.name)?.() ?? gettext("The microphone could not be opened.");
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

  /** Nothing comes of the device, not even noise: switched off, muted by a key or by the system. */
  get dead() {
    return this.#context?.state === "running" && this.#latest().every((sample) => Math.abs(sample) < DEAD);
  }

  #latest() {
    this.#analyser.getFloatTimeDomainData(this.#samples);
    return this.#samples;
  }

  /** [{id, label}] of the microphones of this machine; labels are known once permission was given. */
  async devices() {
    const all = await navigator.mediaDevices.enumerateDevices();
    return all.filter((device) => device.kind === "audioinput" && device.deviceId)
      .map((device, at) => ({ id: device.deviceId, label: device.label || interpolate(gettext("Microphone %s"), [at + 1]) }));
  }

  #measure(stream) {
    this.#context = new AudioContext();
    this.#context.resume();  // where the browser starts it suspended
    this.#analyser = this.#context.createAnalyser();
    this.#analyser.fftSize = 1024;
    this.#samples = new Float32Array(this.#analyser.fftSize);
    this.#context.createMediaStreamSource(stream).connect(this.#analyser);
  }
}

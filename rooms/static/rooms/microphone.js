/** The microphone: opening, closing, which device, and how loud one is. */

const KEPT_DEVICE = "spaces:microphone";
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
    this.#analyser.getFloatTimeDomainData(this.#samples);
    const power = this.#samples.reduce((sum, sample) => sum + sample * sample, 0) / this.#samples.length;
    const decibels = 10 * Math.log10(power + 1e-9);
    return Math.min(1, Math.max(0, (decibels + 60) / 50));
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

/** The sound: one RTCPeerConnection, one <audio> element, and a watch that brings the sound back when it dies. */

const GATHER_WITHIN = 300;
const LOOK_EVERY = 500;
const SILENT_AFTER = 2000;
const DELAYS = [500, 1000, 2000, 4000];
const FULL_DELAY = 5000;

export class Sound {
  state = "off";      // off, connecting, live, reconnecting, full
  attempt = 0;
  blocked = false;    // the browser wants a click before it plays
  #peer = null;
  #sender = null;
  #track = null;
  #packets = 0;
  #heardAt = 0;
  #timer = null;
  #watch = null;

  /** offer(sdp) -> Promise of the answer's sdp; changed() is called after every change of what is public here. */
  constructor(element, offer, changed) {
    this.element = element;
    this.offer = offer;
    this.changed = changed;
  }

  connect() {
    this.element.play().catch(() => {});  // inside the click: later streams may then play without one
    this.attempt = 0;
    this.#set("connecting");
    this.#watch = setInterval(() => this.#look(), LOOK_EVERY);
    return this.#dial();
  }

  disconnect() {
    clearInterval(this.#watch);
    clearTimeout(this.#timer);
    this.#close();
    this.#track = null;
    this.element.srcObject = null;
    this.blocked = false;
    this.#set("off");
  }

  /** What the microphone sends; null for nothing. No renegotiation (design: one transceiver from the start). */
  async send(track) {
    this.#track = track;
    await this.#sender?.replaceTrack(track);
  }

  /** Dial anew at once: the sound moved, or the network changed. */
  renew() {
    if (this.state === "off") return;
    clearTimeout(this.#timer);
    this.#set("reconnecting");
    this.#dial();
  }

  async play() {
    try {
      await this.element.play();
      this.blocked = false;
    } catch (error) {
      if (error.name === "AbortError") return;  // a newer stream took over
      this.blocked = true;
    }
    this.changed();
  }

  async #dial() {
    this.#close();
    const peer = new RTCPeerConnection();
    this.#peer = peer;
    this.#packets = 0;
    this.#heardAt = performance.now();
    peer.ontrack = (event) => this.#listen(peer, event.track);
    peer.onconnectionstatechange = () => peer === this.#peer && peer.connectionState === "failed" && this.#again();
    const transceiver = peer.addTransceiver("audio", { direction: "sendrecv" });
    this.#sender = transceiver.sender;
    try {
      if (this.#track) await this.#sender.replaceTrack(this.#track);
      await peer.setLocalDescription();
      await gathered(peer);
      const sdp = await this.offer(peer.localDescription.sdp);
      if (peer !== this.#peer) return;
      await peer.setRemoteDescription({ type: "answer", sdp });
      this.#heardAt = performance.now();
    } catch (error) {
      if (peer === this.#peer) this.#again(error.code);
    }
  }

  #listen(peer, track) {
    if (peer !== this.#peer) return;
    this.element.srcObject = new MediaStream([track]);
    this.play();
  }

  async #look() {
    const peer = this.#peer;
    if (!peer || this.state === "full") return;
    let packets = this.#packets;
    (await peer.getStats()).forEach((stat) => {
      if (stat.type === "inbound-rtp") packets = stat.packetsReceived;
    });
    if (peer !== this.#peer) return;
    if (packets > this.#packets) this.#heard(packets);
    else if (peer.remoteDescription && performance.now() - this.#heardAt > SILENT_AFTER) this.#again();
  }

  #heard(packets) {
    this.#packets = packets;
    this.#heardAt = performance.now();
    this.attempt = 0;
    this.#set("live");
  }

  /** Dial again after a growing, jittered pause. */
  #again(code) {
    this.#close();
    const delay = code === "full" ? FULL_DELAY : DELAYS[Math.min(this.attempt, DELAYS.length - 1)];
    this.attempt += 1;
    this.#set(code === "full" ? "full" : "reconnecting");
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#dial(), delay * (0.75 + Math.random() / 2));
  }

  #close() {
    this.#peer?.close();
    this.#peer = this.#sender = null;
  }

  #set(state) {
    this.state = state;
    this.changed();
  }
}

/** Candidates are not waited for longer than a moment: the node learns our address from our first check. */
function gathered(peer) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, GATHER_WITHIN);
    peer.onicegatheringstatechange = () => {
      if (peer.iceGatheringState !== "complete") return;
      clearTimeout(timer);
      resolve();
    };
  });
}

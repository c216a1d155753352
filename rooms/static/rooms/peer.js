/** One RTCPeerConnection to the media node: one transceiver, sendrecv and without a track, offer and answer in one round trip. */

const GATHER_WITHIN = 300;

export class Peer {
  #connection = new RTCPeerConnection();
  #sender;
  node = null;        // which start of a media node answered; null before the answer

  /** heard(track): sound arrives; failed(): it will not any more; servers() -> Promise of the TURN servers. */
  constructor({ heard, failed, servers = async () => [] }) {
    this.servers = servers;
    this.#connection.ontrack = (event) => heard(event.track);
    this.#connection.onconnectionstatechange = () => this.#connection.connectionState === "failed" && failed();
    this.#sender = this.#connection.addTransceiver("audio", { direction: "sendrecv" }).sender;
  }

  /** offer(sdp) -> Promise of {sdp, node}, the answer. `track` is the open microphone, or null. */
  async dial(track, offer) {
    this.use(await this.servers());
    if (track) await this.send(track);
    await this.#connection.setLocalDescription();
    await this.#gathered();
    const { sdp, node } = await offer(this.#connection.localDescription.sdp);
    this.node = node;
    if (this.#connection.signalingState === "closed") return;
    await this.#connection.setRemoteDescription({ type: "answer", sdp });
  }

  /** The TURN servers for the next time that candidates are gathered. */
  use(iceServers) {
    const connection = this.#connection;
    if (connection.signalingState === "closed" || !iceServers.length) return;
    connection.setConfiguration({ ...connection.getConfiguration(), iceServers });
  }

  /** Promotion, mute and step-down are this: no renegotiation. */
  send(track) {
    return this.#sender.replaceTrack(track);
  }

  /** Packets of sound received so far. */
  async packets() {
    let packets = 0;
    (await this.#connection.getStats()).forEach((stat) => {
      if (stat.type === "inbound-rtp") packets = stat.packetsReceived;
    });
    return packets;
  }

  close() {
    this.#connection.ontrack = this.#connection.onconnectionstatechange = null;
    this.#connection.close();
  }

  /** Candidates are not waited for longer than a moment: the node learns our address from our first check. */
  #gathered() {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, GATHER_WITHIN);
      this.#connection.onicegatheringstatechange = () => {
        if (this.#connection.iceGatheringState !== "complete") return;
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

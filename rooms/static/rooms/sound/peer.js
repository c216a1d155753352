/** One RTCPeerConnection to the media node: one transceiver, sendrecv and without a track, offer and answer in one round trip. */
import { connection } from "rooms/sound/default_route.js";

const GATHER_WITHIN = 300;

export class Peer {
  #connection = connection();
  #sender;
  node = null;        // which start of a media node answered; null before the answer

  /** heard(track): sound arrives; unsteady(): perhaps it does not now; failed(): it will not any more; servers() -> Promise
   *  of the TURN servers. */
  constructor({ heard, unsteady, failed, servers = async () => [] }) {
    this.servers = servers;
    this.#connection.ontrack = (event) => heard(event.track);
    this.#connection.oniceconnectionstatechange = () => this.#connection.iceConnectionState === "disconnected" && unsteady();
    this.#connection.onconnectionstatechange = () => this.#connection.connectionState === "failed" && failed();
    this.#sender = this.#connection.addTransceiver("audio", { direction: "sendrecv" }).sender;
  }

  /** offer(sdp) -> Promise of {sdp, node}, the answer. track() is the open microphone, or null: it may be closed meanwhile. */
  async dial(track, offer) {
    this.use(await this.servers());
    if (track()) await this.send(track());
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

  /** New ICE credentials both ways, and the same connection: no handshake, no new stream. Rejects with the code
   *  no_network where the browser knows of none yet from which to send. */
  async restart(offer) {
    const usable = this.#usable();
    await this.#connection.setLocalDescription(await this.#connection.createOffer({ iceRestart: true }));
    if (!(await usable)) throw Object.assign(new Error("no network"), { code: "no_network" });
    const { sdp } = await offer(this.#connection.localDescription.sdp, this.node);
    if (this.#connection.signalingState === "closed") return;
    await this.#connection.setRemoteDescription({ type: "answer", sdp });
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
    this.#connection.oniceconnectionstatechange = null;
    this.#connection.close();
  }

  /** Whether there is a first address of ours, within a moment. A relay's takes longer, and is not waited for. */
  #usable() {
    if (this.#connection.getConfiguration().iceTransportPolicy === "relay") return Promise.resolve(true);
    return new Promise((resolve) => {
      setTimeout(resolve, GATHER_WITHIN, false);
      this.#connection.onicecandidate = ({ candidate }) => candidate?.protocol === "udp" && resolve(true);
    });
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

/** One RTCPeerConnection to the media node: one sendrecv transceiver, offer and answer in one round trip. */
import { newConnection } from "rooms/sound/default_route.js";

const GATHER_WITHIN = 300;

export class Peer {
  #connection = newConnection();
  #sender;
  boot = null;        // of the media node that answered; null before the answer

  /** heard(track): sound arrives. unsteady(): it may have stopped. failed(): it will not come back. servers() returns a
   *  promise of TURN servers. */
  constructor({ heard, unsteady, failed, servers = async () => [] }) {
    const connection = this.#connection;
    this.servers = servers;
    connection.ontrack = (event) => heard(event.track);
    connection.oniceconnectionstatechange = () => connection.iceConnectionState === "disconnected" && unsteady();
    connection.onconnectionstatechange = () => connection.connectionState === "failed" && failed();
    this.#sender = connection.addTransceiver("audio", { direction: "sendrecv" }).sender;
  }

  /** offer(sdp) returns a promise of the answer {sdp, boot}. track(): of the microphone, or null; asked late, as it may
   *  be closed meanwhile. */
  async dial(track, offer) {
    this.use(await this.servers());
    if (track()) await this.send(track());
    await this.#connection.setLocalDescription();
    await this.#gathered();
    const { sdp, boot } = await offer(this.#connection.localDescription.sdp);
    this.boot = boot;
    if (this.#connection.signalingState === "closed") return;
    await this.#connection.setRemoteDescription({ type: "answer", sdp });
  }

  /** Sets the TURN servers for the next time that candidates are gathered. */
  use(iceServers) {
    const connection = this.#connection;
    if (connection.signalingState === "closed" || !iceServers.length) return;
    connection.setConfiguration({ ...connection.getConfiguration(), iceServers });
  }

  /** An ICE restart: new credentials, the same connection, no handshake and no new stream. Rejects with the code
   *  no_network if the browser has no network yet. */
  async restart(offer) {
    const usable = this.#usable();
    await this.#connection.setLocalDescription(await this.#connection.createOffer({ iceRestart: true }));
    if (!(await usable)) throw Object.assign(new Error("no network"), { code: "no_network" });
    const { sdp } = await offer(this.#connection.localDescription.sdp, this.boot);
    if (this.#connection.signalingState === "closed") return;
    await this.#connection.setRemoteDescription({ type: "answer", sdp });
  }

  /** Promotion, mute and step-down only replace the track; nothing is negotiated again. */
  send(track) {
    return this.#sender.replaceTrack(track);
  }

  /** A promise of the number of packets of sound received so far. */
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

  /** A promise: whether the browser finds an address of ours within a moment. The address at a relay takes longer. */
  #usable() {
    if (this.#connection.getConfiguration().iceTransportPolicy === "relay") return Promise.resolve(true);
    return new Promise((resolve) => {
      setTimeout(resolve, GATHER_WITHIN, false);
      this.#connection.onicecandidate = ({ candidate }) => candidate?.protocol === "udp" && resolve(true);
    });
  }

  /** Waits for candidates, but only for a moment: the node learns our address from our first check anyway. */
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

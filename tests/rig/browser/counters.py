"""Chromium's own counts of the sound that it receives (RTCInboundRtpStreamStats of W3C's webrtc-stats)."""

from collections.abc import Callable

from tests.rig.browser.person import Person

COUNTERS = (
    "packetsReceived", "packetsLost", "fecPacketsReceived",
    "totalSamplesReceived", "concealedSamples", "concealmentEvents",
)  # fmt: skip

WINDOW_MS, MOST_WINDOWS = 8_000, 4
LEAST_SAMPLES = 300_000  # in a window; 384,000 if nothing is missing

# Keeps the page's connections, which a frame of it makes, so that a test finds them.
KEEP_CONNECTIONS = """window.connections = parent.connections ?? [];
window.RTCPeerConnection = class extends RTCPeerConnection {
  constructor(...options) { super(...options); window.connections.push(this); }
};"""
# Counts the packets that the page's encoder makes, and those of them with a copy of the one before: the flag behind the
# one for activity in the first octet of a SILK frame of 20 ms (RFC 6716 sections 4.2.3 and 4.2.4).
COUNT_COPIES = """parent.copies ??= { packets: 0, with: 0 };
window.RTCPeerConnection = class extends RTCPeerConnection {
  constructor(options) { super({ ...options, encodedInsertableStreams: true }); }
  addTransceiver(...options) {
    const transceiver = super.addTransceiver(...options);
    const [out, back] = [transceiver.sender.createEncodedStreams(), transceiver.receiver.createEncodedStreams()];
    const count = (frame, way) => {
      const [kind, flags] = new Uint8Array(frame.data);
      parent.copies.packets += 1;
      if (kind < 128 && flags & 64) parent.copies.with += 1;
      way.enqueue(frame);
    };
    out.readable.pipeThrough(new TransformStream({ transform: count })).pipeTo(out.writable);
    back.readable.pipeTo(back.writable);
    return transceiver;
  }
};"""
RECEIVED = """async () => {
  const stats = [...(await window.connections.at(-1).getStats()).values()];
  return stats.find((one) => one.type === "inbound-rtp");
}"""


def received(listener: Person) -> dict[str, float]:
    """Chromium's counts of the sound so far."""
    return {name: value for name, value in listener.page.evaluate(RECEIVED).items() if isinstance(value, int | float)}


def over(listener: Person, milliseconds: int) -> dict[str, float]:
    """By how much each counter grew in that time."""
    before = received(listener)
    listener.page.wait_for_timeout(milliseconds)
    return grown(before, received(listener))


def undisturbed(look: Callable[[], dict[str, float]]) -> dict[str, float]:
    """What one look of several says in which nothing was concealed, or the last of them.

    A machine that stalls for a moment disturbs one of them, a fault disturbs all.
    """
    for _ in range(MOST_WINDOWS):
        heard = look()
        if heard["concealedSamples"] == 0:
            break
    assert heard["totalSamplesReceived"] >= LEAST_SAMPLES
    return heard


def grown(before: dict[str, float], after: dict[str, float]) -> dict[str, float]:
    growth = {name: after[name] - before.get(name, 0) for name in after}
    print({name: growth[name] for name in COUNTERS})
    return growth

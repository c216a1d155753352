"""What is left of speech when packets get lost: `python -m bench.loss`. The last line is JSON.

Real speech goes through a node, and through Janus's AudioBridge. A relay with a seed loses 1, 5 and 10 % of the packets
at random, between speaker and server or between server and listener. Both act as browsers do: the speaker adds error
correction when the server reports loss. The listener reports loss, takes lost packets from their copies and invents the
rest. Janus's encoders know the loss beforehand.
"""

import argparse
import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pylibsrtp
from aiortc.rtp import RtcpPacket, RtcpRrPacket, RtcpSrPacket

from bench.rig import machine, network
from bench.rig.crowd import Crowd, Join
from bench.rig.janus import PEER, Janus
from bench.rig.node import GROUP_OF_20_MS, MediaNode, Room
from bench.rig.peers import Listener, Peer, TimedPacket
from bench.rig.relay import Network, Relay
from bench.rig.sound import samples
from bench.rig.sound.likeness import likeness
from rooms.media.sound.opus import Encoder, Pcm
from rooms.media.units import FRAME

LOSSES = (1, 5, 10)  # percent
SECONDS = 30.0
LEAD_SECONDS = 3.0  # before the compared part, so that all have settled and reported
REPORT_SECONDS = 1.0
SEED = 7


@dataclass(frozen=True)
class Case:
    """How much gets lost on which leg."""

    leg: str
    loss_pct: int
    seed: int

    def spoil(self, speaker: Relay, listener: Relay) -> None:
        """Begin to lose packets."""
        bad = Network(loss=self.loss_pct / 100)
        if self.leg == "speaker":
            speaker.up.network = bad
        elif self.leg == "listener":
            listener.down.network = bad


CASES = [
    Case("none", 0, SEED),
    *(Case(leg, loss, SEED + loss) for leg in ("speaker", "listener") for loss in LOSSES),
]


class Talker(Peer):
    """Speaks as a browser does: encodes live, with error correction as soon as the server reports loss."""

    def __init__(self, pcm: Pcm, **options: Any) -> None:
        super().__init__(**options)
        self._pcm, self._place = pcm, 0
        self._encoder = Encoder()
        self.reported = 0.0  # the highest share of loss that the server reported

    def tick(self, now: float) -> None:
        """Send the next 20 ms, if any are left."""
        super().tick(now)
        frame = self._pcm[self._place : self._place + FRAME]
        if len(frame) == FRAME and self._session.outgoing is not None:
            self._place += FRAME
            self.send_packet(self._encoder.encode(frame))

    def _on_reports(self, incoming: pylibsrtp.Session, data: bytes) -> None:
        try:
            packets = RtcpPacket.parse(incoming.unprotect_rtcp(data))
        except (pylibsrtp.Error, ValueError):
            return
        for packet in packets:
            if isinstance(packet, RtcpRrPacket | RtcpSrPacket):
                for report in packet.reports:
                    self._hear_of_loss(report.ssrc, report.fraction_lost / 256)

    def _hear_of_loss(self, ssrc: int, share: float) -> None:
        if ssrc == self._ssrc and share > self.reported:
            self.reported = share
            self._encoder.expect_loss(round(share * 100))


@dataclass
class Talk:
    """One room of the benchmark: a speaker, a listener, and the packets that the listener got."""

    case: Case
    talker: Talker
    listener: Listener
    received: list[TimedPacket] = field(default_factory=list)
    reported: tuple[int, int] = (0, 0)  # packets expected and received at the last report

    def report(self) -> None:
        """Report to the server the share that was lost since the last report (RFC 3550 section 6.4.1)."""
        heard = self.listener.received
        expected, packets = heard.expected - self.reported[0], heard.packets - self.reported[1]
        if heard.reports and expected > 0:
            self.reported = (heard.expected, heard.packets)
            self.listener.send_report(max(0.0, 1 - packets / expected))


@dataclass(frozen=True)
class Result:
    """The result of a case, in percent.

    `lost_pct`: packets that the listener lost. `concealed_pct`: packets that the server had to invent, None if it does
    not say. `reported_pct`: the highest loss that it reported to the speaker. `stoi` is 1.0 for the original.
    """

    server: str
    leg: str
    loss_pct: int
    lost_pct: float
    concealed_pct: float | None
    reported_pct: int
    stoi: float

    def __str__(self) -> str:
        concealed = "-" if self.concealed_pct is None else f"{self.concealed_pct:.1f} %"
        return (
            f"{self.server:12} {self.loss_pct:3} % on the way of the {self.leg:9} "
            f"listener lost {self.lost_pct:4.1f} %, server invented {concealed:>6}, "
            f"reported {self.reported_pct:2} % to the speaker, STOI {self.stoi:.3f}"
        )


async def talk(crowd: Crowd, case: Case, speak: Join, listen: Join, pcm: Pcm) -> Talk:
    """Connect a speaker and a listener through relays, and begin to lose packets."""
    host = crowd.options.get("host", "127.0.0.1")
    relays = Relay(host, case.seed), Relay(host, case.seed)
    received: list[TimedPacket] = []
    listener = await crowd.connect(Listener(received.append, relay=relays[1], **crowd.options), listen)
    talker = await crowd.connect(Talker(pcm, relay=relays[0], **crowd.options), speak)
    case.spoil(*relays)
    return Talk(case, talker, listener, received)


async def listen_to(talks: Sequence[Talk], seconds: float) -> None:
    """Let all talks go on for `seconds`, with a report every second."""
    for _ in range(round(seconds / REPORT_SECONDS)):
        await asyncio.sleep(REPORT_SECONDS)
        for each in talks:
            each.report()


def judge(server: str, talked: Talk, pcm: Pcm, concealed: float | None) -> Result:
    """Compare what the listener got with the original, without its beginning."""
    heard, lost = samples.played(talked.received)
    lead = round(LEAD_SECONDS / 0.02) * FRAME
    share = 100 * lost / max(1, lost + len(talked.received))
    score = likeness(pcm[lead:], heard)
    reported = round(100 * talked.talker.reported)
    return Result(server, talked.case.leg, talked.case.loss_pct, round(share, 1), concealed, reported, round(score, 3))


async def invented(room: Room) -> float:
    """The percentage of a speaker's packets that the node had to invent."""
    (voice,) = (await room.held()).voices.values()
    return round(100 * voice.concealed / max(1, voice.received + voice.lost), 1)


async def node(pcm: Pcm, seconds: float) -> list[Result]:
    """Run all cases at once through our node."""
    async with MediaNode(**GROUP_OF_20_MS) as server, Crowd() as crowd:
        rooms = [server.open_space(1) for _ in CASES]
        talks = [await talk(crowd, case, room.speak, room.listen, pcm) for case, room in zip(CASES, rooms, strict=True)]
        await listen_to(talks, seconds)
        concealed = [await invented(room) for room in rooms]
    return [judge("Spaces", each, pcm, share) for each, share in zip(talks, concealed, strict=True)]


async def janus(pcm: Pcm, seconds: float) -> list[Result]:
    """Run all cases at once through Janus's AudioBridge."""
    async with Janus() as server, Crowd(**PEER) as crowd:
        talks = []
        for number, case in enumerate(CASES, 1):
            room = await server.room(number, expected_loss=case.loss_pct)
            talks.append(await talk(crowd, case, room.speak, room.listen, pcm))
        await listen_to(talks, seconds)
    return [judge("AudioBridge", each, pcm, None) for each in talks]


async def compare(seconds: float) -> None:
    """Measure both, and print the figures."""
    pcm = samples.speech(LEAD_SECONDS + seconds)
    machine.need_program("janus")
    network.enter()
    results = await node(pcm, LEAD_SECONDS + seconds + 1)
    results += await janus(pcm, LEAD_SECONDS + seconds + 1)
    for result in results:
        machine.say(str(result))
    print(json.dumps({"bench": "loss", "cases": [vars(result) for result in results]}))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=SECONDS, help="of speech (30)")
    chosen = parser.parse_args()
    machine.run(lambda: compare(chosen.seconds))


if __name__ == "__main__":
    main()

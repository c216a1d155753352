"""All Spaces of a node: peers join and leave, standings are applied, every 20 ms everybody gets his sound.

One thread does it all. Reading the port and the handshakes are bounded pieces of work between two ticks, so that
neither a rush of joins nor a flood of strangers' packets makes the sound wait.
"""

import asyncio
import contextlib
import gc
import logging
import time
from collections import Counter
from collections.abc import Callable

from rooms.media.admission import Admission
from rooms.media.capture.tap import Chunk
from rooms.media.clock import Ticker
from rooms.media.contract import addresses
from rooms.media.contract.grant import Grant
from rooms.media.contract.held import Reception
from rooms.media.contract.standing import Standing
from rooms.media.hls.feed import Feed, Send
from rooms.media.hls.messages import End
from rooms.media.hls.signature import folder
from rooms.media.joining import Refused, admitted, check_placed, understood
from rooms.media.listeners.fanout import FanOut
from rooms.media.live_space import LiveSpace
from rooms.media.network import rtp, sdp
from rooms.media.network.dtls import Certificate
from rooms.media.network.handshakes import Handshakes
from rooms.media.network.ice import IceLite, IcePeer
from rooms.media.network.peer import Peer
from rooms.media.network.reading import MANY, Reading
from rooms.media.network.udp import UdpPort
from rooms.media.settings import Settings
from rooms.media.units import FRAME
from rooms.media.web_side import Messenger, Outside

log = logging.getLogger(__name__)

READ_SECONDS = 0.003  # for reading at a time, unless a tick is due earlier
SWEEP_TICKS = 50
REPORT_TICKS = 500  # between two reports to a listener, each of which costs as much as five packets
REPORT_TURNS = 50  # within that time, in each of which so many listeners are told: alone, a report costs twice as much
GOODBYE_SECONDS = 0.5  # for each of the things that are waited for at the end
MOST_FAILURES = 50  # ticks of one Space; then it is closed, and whoever comes back finds it begun anew
HEARD_SECONDS = 12.0  # for which a Space is written as files (HLS) after the web side last said that somebody hears it


class Engine:
    """The live sound of one process.

    Times are seconds of ``clock``. ``submit`` takes closed chunks and returns at once, so does ``write`` with what is
    heard as files (HLS); without it there are none.
    """

    def __init__(
        self,
        settings: Settings,
        boot: str,
        port: UdpPort,
        outside: Outside,
        submit: Callable[[Chunk], None],
        clock: Callable[[], float] = time.monotonic,
        write: Send | None = None,
    ) -> None:
        self.settings, self.boot, self.port, self.clock = settings, boot, port, clock
        self.ice = IceLite(port)
        self.fanout = FanOut(port, settings.capacity)
        self.admission = Admission(settings.most_load, settings.capacity)
        self.messenger = Messenger()
        self.spaces: dict[str, LiveSpace] = {}
        self.drops: Counter[str] = Counter()  # its own, and those of peers and Spaces that are gone
        self.joins = self.restarts = 0
        self.load = 0.0  # share of a core, measured by whoever runs the engine
        self.failed_ticks = 0  # of single Spaces, by a fault of ours
        self.ticker: Ticker | None = None
        self._outside, self._submit, self._write = outside, submit, write
        self._certificate = Certificate.generateCertificate()
        self._candidates = [announced.at(port.port) for announced in addresses.parse_all(settings.announce)]
        self._wall = time.time() - clock()
        self._past_voices: Counter[str] = Counter()
        self._homes: dict[Peer, LiveSpace] = {}
        self._handshakes = Handshakes(self.drops)
        self._closing: set[asyncio.Task[None]] = set()
        self._ticks = 0
        self._ticked_at = clock()  # when the latest tick was due, the moment of the fan-out's clock

    @property
    def peers(self) -> int:
        """How many peers there are, connected or about to be."""
        return len(self._homes)

    @property
    def is_full(self) -> bool:
        """Whether newcomers are refused."""
        return bool(self.admission.refusal(self.peers, preferred=False))

    # What is told of it

    @property
    def all_drops(self) -> Counter[str]:
        """What was thrown away since the start, by cause, of those who are gone too."""
        total = self.ice.drops + self.drops
        for space in self.spaces.values():
            total.update(space.all_drops)
        return total

    @property
    def voice_counts(self) -> Counter[str]:
        """The VOICE_COUNTS of all voices since the start, of those that are over too."""
        total = self._past_voices.copy()
        for space in self.spaces.values():
            total.update(space.voice_counts)
        return total

    @property
    def receptions(self) -> list[Reception]:
        """What each peer that reported last said of what it hears."""
        return [peer.reception for peer in self._homes if peer.reception]

    # Rights

    def apply(self, standing: Standing) -> bool:
        """Bring a standing into effect if it is newer than what is; False if it is not."""
        space = self.spaces.get(standing.space)
        if not standing.supersedes(space.standing if space else None):
            return False
        if standing.ended:
            self.close(standing.space, "over")
            return True
        if space is None:
            space = self.spaces[standing.space] = LiveSpace(
                standing, self.fanout, self._outside, self.messenger, self._submit, self._wall, self.clock(),
                self.boot,
            )  # fmt: skip
        for participant in standing.removed & space.peers.keys():
            self._drop(space.peers[participant])
        space.apply(standing)
        return True

    def close(self, name: str, how: End = "moved") -> None:
        """End a Space here: everybody is dropped, open chunks are shipped. ``how`` is for those who hear files."""
        space = self.spaces.pop(name, None)
        if space is None:
            return
        for peer in list(space.peers.values()):
            self._drop(peer)
        space.close_chunks()
        space.end_feed(how)
        self.drops.update(space.drops)
        self._past_voices.update(space.voice_counts)

    # Those who hear files

    def heard(self, name: str, boot: str) -> None:
        """Write the files (HLS) of a Space for HEARD_SECONDS from now on, or leave them to the start of another node.

        ``boot`` is the start that is meant to write them."""
        space, now = self.spaces.get(name), self.clock()
        if space is not None and not space.writes_for(boot, now):
            space.end_feed("moved")
        elif space is not None and self._write is not None:
            feed = Feed(folder(self.settings.hls_secret, name), space.standing.started_at, self._write)
            space.begin_feed(feed, now + HEARD_SECONDS)

    # Joining and leaving

    def join(self, name: str, permission: str, offer: str) -> str:
        """Let a browser in and return the answer to its offer; Refused where it may not or cannot."""
        space, granted = admitted(self.spaces, name, self.settings.secret, permission)
        check_placed(space, self.boot)
        why = self._why_no_room(space, granted)
        if why:
            raise Refused("full", why)
        return self._add(space, granted.participant, understood(offer))

    def _why_no_room(self, space: LiveSpace, granted: Grant) -> str:
        """Why there is no place for somebody who has none yet; empty where there is."""
        if granted.participant in space.peers:
            return ""
        on_stage = space.standing.voice(granted.participant) is not None
        return self.admission.refusal(self.peers, preferred=granted.back or on_stage)

    def restart(self, name: str, permission: str, offer: str) -> str:
        """Answer a browser whose network has changed, with new ICE credentials alone (RFC 8445 section 9).

        Certificate, keys and stream stay. Refused, no_peer, unless the offer is of the participant's connection here.
        """
        space, granted = admitted(self.spaces, name, self.settings.secret, permission)
        parsed, peer = understood(offer), space.peers.get(granted.participant)
        if peer is None or not peer.is_restart(parsed):
            raise Refused("no_peer", "not an ICE restart of a connection that is here")
        if peer.next_ice is not None:
            self.ice.remove(peer.next_ice)
        ice = peer.restart(parsed, self.clock())
        self.ice.add(ice)
        self.restarts += 1
        return sdp.build_answer(parsed, self._answer(peer, ice))

    def _add(self, space: LiveSpace, participant: str, offer: sdp.Offer) -> str:
        older = space.peers.get(participant)
        if older is not None:
            self._drop(older, tell=False)
        peer = Peer(self, participant, offer, self._certificate, self.port, self._handshakes.put, self.clock())
        peer.start()
        space.peers[participant] = peer
        self._homes[peer] = space
        self.ice.add(peer.ice)
        self.joins += 1
        return sdp.build_answer(offer, self._answer(peer, peer.ice))

    def _answer(self, peer: Peer, ice: IcePeer) -> sdp.Answer:
        return sdp.Answer(
            ice.fragment.decode(),
            ice.password.decode(),
            self._certificate.fingerprints,
            self._candidates,
            peer.out_ssrc,
            peer.restarts,
        )

    def leave(self, name: str, participant: str) -> bool:
        """Drop a participant's peer; False if there is none."""
        space = self.spaces.get(name)
        peer = space.peers.get(participant) if space else None
        if peer is None:
            return False
        self._drop(peer)
        return True

    def _drop(self, peer: Peer, *, tell: bool = True) -> None:
        space = self._homes.pop(peer, None)
        if space is None:
            return
        if space.peers.get(peer.participant) is peer:
            del space.peers[peer.participant]
        self.ice.remove(peer.ice)
        if peer.next_ice is not None:
            self.ice.remove(peer.next_ice)
        self.drops.update(peer.drops)
        if peer.connected:
            self._free_row(space, peer)
        closing = asyncio.get_running_loop().create_task(peer.session.close())
        self._closing.add(closing)
        closing.add_done_callback(self._closing.discard)
        if tell:
            self._tell_peer(space, peer, "gone")

    def _free_row(self, space: LiveSpace, peer: Peer) -> None:
        space.audiences.discard(peer)
        moved = self.fanout.remove(peer)
        if isinstance(moved, Peer):
            self._homes[moved].audiences.rows_changed()

    def _tell_peer(self, space: LiveSpace, peer: Peer, state: str) -> None:
        self.messenger.post(lambda: self._outside.peer(space.space, peer.participant, state))

    # What peers say

    def on_connected(self, peer: Peer) -> None:
        """Begin to send to a peer whose handshake is done."""
        space, address, session = self._homes.get(peer), peer.ice.address, peer.outgoing
        if space is None or address is None or session is None:
            return
        self.fanout.add(peer, session, address, peer.offer.payload_type, peer.out_ssrc)
        space.admit(peer, self.load >= self.settings.long_above)
        self._tell_peer(space, peer, "connected")

    def on_gone(self, peer: Peer) -> None:
        """Forget a peer that said goodbye or failed the handshake."""
        self._drop(peer)

    def on_moved(self, peer: Peer, address: bytes) -> None:
        """Send to the peer's new address."""
        if peer.connected:
            self.fanout.move(peer, address)

    def on_restarted(self, before: IcePeer) -> None:
        """Believe no check under the old credentials any more."""
        self.ice.remove(before)

    def on_sound(self, peer: Peer, packet: rtp.RtpPacket, now: float) -> None:
        """Pass a packet to its Space."""
        space = self._homes.get(peer)
        if space is not None:
            space.on_sound(peer, packet, now)
        if peer.connected and peer.expects_report(now):
            self._send_report(peer)

    def on_report(self, peer: Peer, now: float) -> None:
        """Tell the participant where his connection has become another one by what his browser reports."""
        space = self._homes.get(peer)
        if space is not None:
            space.tell_connection(peer, now)

    def on_goodbye(self, peer: Peer) -> None:
        """Tell the peer's Space that nothing more comes from its microphone."""
        space = self._homes.get(peer)
        if space is not None:
            space.on_goodbye(peer)

    # Work between the ticks

    def read(self) -> bool:
        """Read the port until it is empty, the time for it is over, or a tick is due; whether it was not empty."""
        start = self.clock()
        end = start + READ_SECONDS
        if self.ticker is not None:
            end = min(end, self.ticker.due)
        while packets := self.port.receive():
            now = self.clock()
            for data, address in packets:
                self.ice.handle(data, address, now)
            if len(packets) < self.port.batch:
                return False
            if now >= end:
                return True
        return False

    def tick(self, now: float, missed: int = 0) -> None:
        """Do what is due at ``now``, a multiple of 20 ms after the tick before."""
        self.fanout.clock += FRAME * (1 + missed)
        self._ticked_at = now
        for space in list(self.spaces.values()):
            self._tick_space(space, now, missed)
        self.fanout.flush()
        self._ticks += 1
        self._report()
        if self._ticks % SWEEP_TICKS == 0:
            self.sweep(now)

    def _tick_space(self, space: LiveSpace, now: float, missed: int) -> None:
        try:
            space.tick(now, missed)
        except Exception:  # a fault of ours in one Space must not silence all others
            self.failed_ticks += 1
            space.failures += 1
            if space.failures == 1:
                log.exception("Space %s: a tick failed; of those that follow only the number is told", space.space)
            if space.failures >= MOST_FAILURES:
                self.close(space.space)

    def _report(self) -> None:
        """Send each listener a report every ten seconds, some in each turn; whoever speaks gets his as he sends."""
        turn, not_now = divmod(self._ticks, REPORT_TICKS // REPORT_TURNS)
        if not_now:
            return
        for row in range(turn % REPORT_TURNS, len(self.fanout), REPORT_TURNS):
            peer = self.fanout.listener(row)
            assert isinstance(peer, Peer)
            self._send_report(peer)

    def _send_report(self, peer: Peer) -> None:
        """Tell a peer what time it is, in the node's time and in RTP's.

        Both are of the moment at which the report leaves (RFC 3550 section 6.4.1), not of the tick: how late a tick
        is, and what it takes, would else be a part of the round trip, and of the time that a browser's report waited.
        """
        now = self.clock()
        peer.report(now, *self.fanout.progress(peer.row, now - self._ticked_at))

    def sweep(self, now: float) -> None:
        """Drop the peers that have not been heard of for too long, and Spaces in which nobody is, or is to be."""
        for ice_peer in self.ice.expired(now):
            peer = ice_peer.owner
            assert isinstance(peer, Peer)
            if ice_peer is peer.ice:
                self._drop(peer)
            else:  # a restart that came to nothing
                self.ice.remove(ice_peer)
        for name, space in list(self.spaces.items()):
            if now > space.heard_until:
                space.end_feed("unheard")
            if space.is_done(now):
                self.close(name)

    # Running in real time

    def start(self) -> None:
        """Begin to read and to tick, in the running event loop, whose clock has to be this engine's."""
        loop = asyncio.get_running_loop()
        self.ticker = Ticker(loop, self.tick)
        self._reading = Reading(self.port.socket, self.read, lambda: self.peers >= MANY)
        self._reading.start()
        self.ticker.start()
        gc.collect()
        gc.freeze()

    async def stop(self) -> None:
        """Close all Spaces, say goodbye to everybody, give the port back."""
        for name in list(self.spaces):
            self.close(name)
        if self.ticker is not None:
            self.ticker.stop()
            self._reading.stop()
        if self._closing:
            await asyncio.wait(self._closing, timeout=GOODBYE_SECONDS)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(GOODBYE_SECONDS):
                await self.messenger.deliver()
        self.port.close()

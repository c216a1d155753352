"""All Spaces of a node: peers join and leave, standings take effect, and every 20 ms each listener gets sound.

One thread does all of it. Reading the port and the handshakes are bounded pieces of work between two ticks, so neither
a rush of joins nor a flood of packets from strangers delays the sound.
"""

import asyncio
import gc
import logging
import time
from collections import Counter
from collections.abc import Callable

from rooms.media.admission import Admission
from rooms.media.clock import Ticker
from rooms.media.contract import addresses
from rooms.media.contract.grant import Grant
from rooms.media.contract.held import Reception
from rooms.media.contract.hints import PeerState
from rooms.media.contract.standing import Standing
from rooms.media.hls.feed import Feed
from rooms.media.hls.messages import End
from rooms.media.hls.signature import folder
from rooms.media.joining import Refused, admit, check_placed, read_offer
from rooms.media.listeners.fanout import FanOut
from rooms.media.listeners.reports import Reports
from rooms.media.live_space import LiveSpace
from rooms.media.network import sdp
from rooms.media.network.dtls import Certificate
from rooms.media.network.handshakes import Handshakes
from rooms.media.network.ice import IceLite, IcePeer
from rooms.media.network.peer import Peer
from rooms.media.network.reading import MANY, Reading
from rooms.media.network.udp import UdpPort
from rooms.media.settings import Settings
from rooms.media.units import FRAME
from rooms.media.web_side import Outputs, Shared

log = logging.getLogger(__name__)

READ_SECONDS = 0.003  # for one round of reading, or less if a tick is due
SWEEP_TICKS = 50
GOODBYE_SECONDS = 0.5  # how long the end of the engine waits for the goodbyes to peers
MOST_FAILURES = 50  # failed ticks after which a Space is closed; the next peer starts it again
FILES_SECONDS = 12.0  # how long HLS files are written after the web side last asked for them


class Engine:
    """The live sound of one process. `boot` is the id of this start of the node, as standings name it.

    `clock` gives seconds; all times here are seconds of it.
    """

    def __init__(
        self,
        settings: Settings,
        boot: str,
        port: UdpPort,
        outputs: Outputs,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.settings, self.boot, self.port, self.outputs, self.clock = settings, boot, port, outputs, clock
        self.ice = IceLite(port)
        self.fanout = FanOut(port, settings.capacity)
        self.admission = Admission(settings.most_load, settings.capacity)
        self.certificate = Certificate.generateCertificate()
        self.spaces: dict[str, LiveSpace] = {}
        self.drops: Counter[str] = Counter()  # its own, and those of peers and Spaces that are gone
        self.joins = self.restarts = 0
        self.load = 0.0  # share of a core; the node measures it
        self.failed_ticks = 0  # of single Spaces, by a fault of ours
        self.ticker: Ticker | None = None
        self._candidates = [announced.at(port.port) for announced in addresses.parse_all(settings.announce)]
        self._shared = Shared(self.fanout, outputs, boot, time.time() - clock())
        self._reports = Reports(self.fanout, clock)
        self._handshakes = Handshakes(self.drops)
        self._past_voices: Counter[str] = Counter()
        self._space_of: dict[Peer, LiveSpace] = {}
        self._closing: set[asyncio.Task[None]] = set()
        self._ticks = 0

    @property
    def peers(self) -> int:
        """How many peers there are, connected or about to be."""
        return len(self._space_of)

    @property
    def is_full(self) -> bool:
        """Whether newcomers are refused."""
        return bool(self.admission.refusal(self.peers, preferred=False))

    @property
    def all_drops(self) -> Counter[str]:
        """What was thrown away since the start, by cause, including peers and Spaces that are gone."""
        total = self.ice.drops + self.drops
        for space in self.spaces.values():
            total.update(space.all_drops)
        return total

    @property
    def voice_counts(self) -> Counter[str]:
        """The VOICE_COUNTS of all voices since the start, including those that are over."""
        total = self._past_voices.copy()
        for space in self.spaces.values():
            total.update(space.voice_counts)
        return total

    @property
    def receptions(self) -> list[Reception]:
        """The latest report of each peer that has reported."""
        return [peer.reception for peer in self._space_of if peer.reception]

    # Rights

    def apply(self, standing: Standing) -> bool:
        """Bring a standing into effect. Returns False if it is not newer than the one in effect."""
        space = self.spaces.get(standing.space)
        if not standing.supersedes(space.standing if space else None):
            return False
        if standing.ended:
            self.close(standing.space, "over")
            return True
        if space is None:
            space = self.spaces[standing.space] = LiveSpace(standing, self._shared, self.clock())
        for participant in standing.removed & space.peers.keys():
            self._drop(space.peers[participant])
        space.apply(standing)
        return True

    def close(self, name: str, how: End = "moved") -> None:
        """End a Space here: drop all peers, ship open chunks. `how` is what HLS listeners learn."""
        space = self.spaces.pop(name, None)
        if space is None:
            return
        for peer in list(space.peers.values()):
            self._drop(peer)
        space.close_chunks()
        space.files.end(how)
        self.drops.update(space.drops)
        self._past_voices.update(space.voice_counts)

    def write_files(self, name: str, boot: str) -> None:
        """Write the HLS files of a Space for FILES_SECONDS from now on, or leave them to another boot.

        `boot` is the one that the web side wants to write them.
        """
        space, now = self.spaces.get(name), self.clock()
        if space is not None and not space.writes_files_for(boot, now):
            space.files.end("moved")
        elif space is not None and self.outputs.write is not None:
            path = folder(self.settings.hls_secret, name)
            space.files.begin(Feed(path, space.standing.started_at, self.outputs.write), now + FILES_SECONDS)

    # Joining and leaving

    def join(self, name: str, permission: str, offer: str) -> str:
        """Let a browser in and return the SDP answer to its offer. Raises Refused if it may not or cannot join."""
        space, granted = admit(self.spaces, name, self.settings.secret, permission)
        check_placed(space, self.boot)
        why = self._why_no_place(space, granted)
        if why:
            raise Refused("full", why)
        return self._add(space, granted.participant, read_offer(offer))

    def _why_no_place(self, space: LiveSpace, granted: Grant) -> str:
        """Why there is no place for a participant who has none yet, empty if there is one."""
        if granted.participant in space.peers:
            return ""
        on_stage = space.standing.voice(granted.participant) is not None
        return self.admission.refusal(self.peers, preferred=granted.back or on_stage)

    def restart(self, name: str, permission: str, offer: str) -> str:
        """Answer an ICE restart after a change of network (RFC 8445 section 9): only the credentials are new.

        Raises Refused, with `no_peer` unless the offer belongs to the participant's connection here.
        """
        space, granted = admit(self.spaces, name, self.settings.secret, permission)
        parsed, peer = read_offer(offer), space.peers.get(granted.participant)
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
        peer = Peer(self, space, participant, offer, self.clock())
        peer.start()
        space.peers[participant] = peer
        self._space_of[peer] = space
        self.ice.add(peer.ice)
        self.joins += 1
        return sdp.build_answer(offer, self._answer(peer, peer.ice))

    def _answer(self, peer: Peer, ice: IcePeer) -> sdp.Answer:
        return sdp.Answer(
            ice.fragment.decode(),
            ice.password.decode(),
            self.certificate.fingerprints,
            self._candidates,
            peer.out_ssrc,
            peer.restarts,
        )

    def leave(self, name: str, participant: str) -> bool:
        """Drop a participant's peer. Returns False if there is none."""
        space = self.spaces.get(name)
        peer = space.peers.get(participant) if space else None
        if peer is None:
            return False
        self._drop(peer)
        return True

    def _drop(self, peer: Peer, *, tell: bool = True) -> None:
        space = self._space_of.pop(peer, None)
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
            self.outputs.hint(PeerState(space.space, peer.participant, "gone"))

    def _free_row(self, space: LiveSpace, peer: Peer) -> None:
        space.audiences.discard(peer)
        moved = self.fanout.remove(peer)
        if isinstance(moved, Peer):
            self._space_of[moved].audiences.rows_changed()

    # What peers report

    def on_record(self, peer: Peer, data: bytes) -> None:
        """Hand a DTLS record to the handshakes."""
        self._handshakes.put(peer, data)

    def on_connected(self, peer: Peer) -> None:
        """Begin to send to a peer whose handshake is done."""
        space, address, session = self._space_of.get(peer), peer.ice.address, peer.outgoing
        if space is None or address is None or session is None:
            return
        self.fanout.add(peer, session, address, peer.offer.payload_type, peer.out_ssrc)
        space.admit(peer, self.load >= self.settings.long_above)
        self.outputs.hint(PeerState(space.space, peer.participant, "connected"))

    def on_gone(self, peer: Peer) -> None:
        """Forget a peer that said goodbye or failed the handshake."""
        self._drop(peer)

    def on_moved(self, peer: Peer, address: bytes) -> None:
        """Send to the peer's new address."""
        if peer.connected:
            self.fanout.move(peer, address)

    def on_restarted(self, before: IcePeer) -> None:
        """Accept no more checks under the old credentials."""
        self.ice.remove(before)

    def on_report_due(self, peer: Peer) -> None:
        """Report to a connected peer that sends sound."""
        self._reports.send(peer)

    # Work between the ticks

    def read(self) -> bool:
        """Read the port until it is empty or the time is up. Returns whether something is left."""
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
        """Do what is due at `now`, a multiple of 20 ms after the tick before. `missed` ticks were left out."""
        self.fanout.clock += FRAME * (1 + missed)
        self._reports.begin_tick(now)
        for space in list(self.spaces.values()):
            self._tick_space(space, now, missed)
        self.fanout.flush()
        self._reports.end_tick()
        self._ticks += 1
        if self._ticks % SWEEP_TICKS == 0:
            self.sweep(now)

    def _tick_space(self, space: LiveSpace, now: float, missed: int) -> None:
        try:
            space.tick(now, missed)
        except Exception:  # a fault of ours in one Space must not silence all others
            self.failed_ticks += 1
            space.failures += 1
            if space.failures == 1:
                log.exception("Space %s: a tick failed. Later failures are only counted", space.space)
            if space.failures >= MOST_FAILURES:
                self.close(space.space)

    def sweep(self, now: float) -> None:
        """Drop peers that have been silent for too long, and close Spaces that are done."""
        for ice_peer in self.ice.expired(now):
            peer = ice_peer.owner
            assert isinstance(peer, Peer)
            if ice_peer is peer.ice:
                self._drop(peer)
            else:  # an ICE restart that was never checked
                self.ice.remove(ice_peer)
        for name, space in list(self.spaces.items()):
            if now > space.files.wanted_until:
                space.files.end("unheard")
            if space.is_done(now):
                self.close(name)

    # Running in real time

    def start(self) -> None:
        """Begin to read and to tick in the running event loop. `clock` has to be the clock of that loop."""
        loop = asyncio.get_running_loop()
        self.ticker = Ticker(loop, self.tick)
        self._reading = Reading(self.port.socket, self.read, lambda: self.peers >= MANY)
        self._reading.start()
        self.ticker.start()
        gc.collect()
        gc.freeze()

    async def stop(self) -> None:
        """Close all Spaces, say goodbye to all peers, give the port back."""
        for name in list(self.spaces):
            self.close(name)
        if self.ticker is not None:
            self.ticker.stop()
            self._reading.stop()
        if self._closing:
            await asyncio.wait(self._closing, timeout=GOODBYE_SECONDS)
        self.port.close()

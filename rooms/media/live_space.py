"""One live Space on a node: who is in it, whose voices are mixed, and what each listener gets every 20 ms."""

from collections import Counter
from collections.abc import Mapping

import numpy as np

from rooms.media.capture.speaker import Speaker
from rooms.media.capture.tap import Tap
from rooms.media.contract.held import Held
from rooms.media.contract.hints import ConnectionState, Levels
from rooms.media.contract.standing import Standing
from rooms.media.contract.standing import Voice as StandingVoice
from rooms.media.hls.live_files import LiveFiles
from rooms.media.listeners.audience import Audiences
from rooms.media.network import rtp
from rooms.media.network.peer import Peer
from rooms.media.sound.adaptation import AdaptiveEncoder
from rooms.media.sound.jitter import Piece
from rooms.media.sound.mixer import Mixer
from rooms.media.sound.mixminus import PRIMING, MixMinus
from rooms.media.sound.opus import DTX_PACKET, SILENT_PACKET, Pcm
from rooms.media.sound.voice import OnPacket
from rooms.media.units import FRAME, MS, SAMPLE_RATE
from rooms.media.web_side import Shared

LEVEL_TICKS = 10  # between two measurements of levels: five a second
SETTLING_TICKS = 10  # of silence that are still encoded, until the encoder's tail is over
SILENT_TICKS = 2  # of digital silence after that, from which a decoder continues on its own
DTX_TICKS = SETTLING_TICKS + SILENT_TICKS  # of silence before packets stop
REFRESH_TICKS = 20  # between two DTX packets, as in libopus
ADAPT_TICKS = 50  # between two adaptations of the encoders: one a second
EMPTY_SECONDS = 60.0  # before a Space without peers is closed here; the next peer has its standing read again
LEFT_SECONDS = 40.0  # after a hand-over; a move of 2,500 peers is over by then (`rooms/nodes/moving.py`)
_SILENCE = np.zeros(FRAME, np.int16)


class LiveSpace:
    """The sound of one Space on one boot of a node. Times are seconds of the node's clock."""

    def __init__(self, standing: Standing, shared: Shared, now: float) -> None:
        self.space, self.standing = standing.space, standing
        self.peers: dict[str, Peer] = {}
        self.drops: Counter[str] = Counter()
        self.levels: dict[str, int] = {}
        self.audiences = Audiences(shared.fanout)
        self.files = LiveFiles()
        self._fanout, self._outputs, self._boot = shared.fanout, shared.outputs, shared.boot
        self._zero = standing.started_at - shared.wall
        self._speakers: dict[str, Speaker] = {}
        self._past_voices: Counter[str] = Counter()
        self._cut_off: dict[str, list[Pcm]] = {}  # the last frames of voices that were cut off
        self._mixer: Mixer[str] = Mixer()
        self._encoder = AdaptiveEncoder()
        self._minus = MixMinus()
        self._silent_ticks = 0
        self._resting = False  # all are silent: a tick only sends DTX packets
        self._mix_tap = Tap(self.space, None, None, shared.outputs.submit)
        self.last_peer_at = now
        self.failures = 0  # ticks, by a fault of ours
        self._ticks = 0
        self._position = 0

    def apply(self, standing: Standing) -> None:
        """Bring a newer standing into effect: who may be heard. The engine drops the peers that it removes."""
        self.standing, self._resting = standing, False
        staying = {voice.participant: voice.turn for voice in standing.voices}
        for participant, speaker in list(self._speakers.items()):
            if staying.get(participant) != speaker.turn:
                self._silence(participant, speaker)
                del self._speakers[participant]
        for voice in standing.voices:
            self._apply_voice(voice)
        self._minus.keep(self._speakers.keys() | self._cut_off.keys())
        self._limit_tracks()
        if not standing.voices or not standing.recorded:
            self._mix_tap.close()

    def _limit_tracks(self) -> None:
        limits = self.standing.kept_by(self._boot)
        self.files.limit(*limits)
        for tap in (self._mix_tap, *(speaker.tap for speaker in self._speakers.values())):
            if tap is not None:
                tap.limit(*limits)

    def _apply_voice(self, voice: StandingVoice) -> None:
        speaker = self._speakers.get(voice.participant)
        if speaker is None:
            speaker = self._speakers[voice.participant] = Speaker(voice, self._new_tap(voice))
            if voice.participant in self.peers:
                self.audiences.shorten(self.peers[voice.participant])
        if voice.muted:
            self._silence(voice.participant, speaker)
        else:
            speaker.unmute(self._keeper(speaker))

    def _new_tap(self, voice: StandingVoice) -> Tap | None:
        if not self.standing.recorded:
            return None
        return Tap(self.space, voice.turn, voice.participant, self._outputs.submit)

    def _keeper(self, speaker: Speaker) -> OnPacket | None:
        tap = speaker.tap
        if tap is None:
            return None

        def keep(piece: Piece, arrived: float) -> None:
            tap.write(piece.payload, piece.samples, piece.timestamp, self._room_time(arrived))

        return keep

    def _room_time(self, now: float) -> int:
        return max(0, round((now - self._zero) * SAMPLE_RATE))

    def _silence(self, participant: str, speaker: Speaker) -> None:
        """Fade a voice out and close its chunk."""
        self._past_voices.update(speaker.counts)
        last = speaker.mute()
        if last is not None:
            self._cut_off[participant] = [last, *[_SILENCE] * PRIMING]

    def admit(self, peer: Peer, long: bool) -> None:
        """Begin to send to a peer, in packets of 60 ms if `long` and the participant is not on the stage."""
        hears_long = long and peer.participant not in self._speakers
        (self.audiences.long if hears_long else self.audiences.short).add(peer)
        self._silent_ticks = min(self._silent_ticks, SETTLING_TICKS)  # the newcomer needs a packet of silence at once
        self._resting = False

    def on_sound(self, peer: Peer, packet: rtp.RtpPacket, now: float) -> None:
        """Take a packet of a speaker. Drop packets of listeners and of muted speakers undecoded."""
        speaker = self._speakers.get(peer.participant)
        if speaker is None or speaker.voice is None:
            self.drops["not-a-voice" if speaker is None else "muted"] += 1
        else:
            self._resting = False
            speaker.voice.jitter.insert(packet.sequence, packet.timestamp, packet.payload, now)

    def on_report(self, peer: Peer, now: float) -> None:
        """Tell the participant about the connection if what the browser reports changes it."""
        self._tell_connection(peer, now)

    def on_goodbye(self, peer: Peer) -> None:
        """Take what is missing from now on for silence, not for loss."""
        speaker = self._speakers.get(peer.participant)
        if speaker is not None and speaker.voice is not None:
            speaker.voice.jitter.end()

    def tick(self, now: float, missed: int) -> None:
        """Mix and send the 20 ms that are due at `now`. `missed` ticks before it were left out."""
        if not self._resting:
            self._work(now, missed)
            return
        self._silent_ticks += 1
        self.files.write(None, None, self._room_time(now))
        if self._refreshes_silence:
            self.audiences.write(DTX_PACKET)
            self._note_peers(now)
            self._watch_speakers(now)

    @property
    def _refreshes_silence(self) -> bool:
        since = self._silent_ticks - DTX_TICKS
        return since >= 0 and since % REFRESH_TICKS == 0

    def _note_peers(self, now: float) -> None:
        if self.peers or self.files.feed is not None:
            self.last_peer_at = now

    def _work(self, now: float, missed: int) -> None:
        self._position = self._room_time(now)
        self._note_peers(now)
        sounds = self._pull(now, missed)
        shared, own = self._mixer.mix(sounds)
        packet = self._encode(shared)
        self.audiences.write(packet)
        self.files.write(shared, packet, self._position)
        self._send_own(own)
        self._minus.note_shared(shared)
        self._keep(packet, audible=shared is not None)
        self._ticks += 1
        if self._ticks % LEVEL_TICKS == 0:
            self._tell_levels()
            self._watch_speakers(now)
        if self._ticks % ADAPT_TICKS == 0:
            self._adapt(now)
        self._resting = packet == DTX_PACKET and self._is_still

    def _pull(self, now: float, missed: int) -> dict[str, Pcm]:
        sounds = {name: rest.pop(0) for name, rest in self._cut_off.items()}
        self._cut_off = {name: rest for name, rest in self._cut_off.items() if rest}
        for participant, speaker in self._speakers.items():
            if speaker.voice is None:
                continue
            if missed:
                speaker.voice.skip(missed)
            sound = speaker.voice.pull(now)
            if sound is not None:
                sounds[participant] = sound
        return sounds

    def _encode(self, shared: Pcm | None) -> bytes | None:
        """The packet for all listeners, None if none is due: silence costs next to nothing.

        Silence is encoded until the encoder has settled. After that a DTX packet (RFC 7587 section 3.1.3) goes out now
        and then, for newcomers and in case one was lost.
        """
        self._silent_ticks = self._silent_ticks + 1 if shared is None else 0
        if shared is not None:
            return self._encoder.encode(shared)
        if self._silent_ticks < SETTLING_TICKS:
            return self._encoder.encode(_SILENCE)
        if self._silent_ticks < DTX_TICKS:
            return SILENT_PACKET
        return DTX_PACKET if self._refreshes_silence else None

    def _send_own(self, own: Mapping[str, Pcm]) -> None:
        """Send each person who talks the mix without their own voice."""
        hearing = [name for name in own if name in self.peers and self.peers[name].connected]
        for name, packet in self._minus.encode(own, hearing).items():
            self._fanout.write(self.peers[name].row, packet)

    def _keep(self, packet: bytes | None, *, audible: bool) -> None:
        """Put the mix on its track while listeners are connected, and close chunks whose time is over.

        Silence without packets is a gap in the track, as it is on the track of a speaker, and begins no chunk.
        """
        if not self.standing.recorded:
            return
        self._mix_tap.tick(self._position)
        is_sound = audible or (self._mix_tap.is_open and self._silent_ticks < SETTLING_TICKS)
        if packet is not None and is_sound and self.standing.voices and len(self.audiences):
            self._mix_tap.write(packet, FRAME, self._position, self._position)
        for speaker in self._speakers.values():
            if speaker.tap is not None:
                speaker.tap.tick(self._position)

    @property
    def _is_still(self) -> bool:
        are_zero = not any(self.levels.values())  # and have been sent
        return are_zero and not self._mix_tap.is_open and all(speaker.is_still for speaker in self._speakers.values())

    def _adapt(self, now: float) -> None:
        """Let the encoders follow the loss that the browsers reported lately."""
        losses = {name: loss for name, peer in self.peers.items() if (loss := peer.loss(now)) is not None}
        self._encoder.follow(list(losses.values()))
        self._minus.follow(losses)

    def _tell_levels(self) -> None:
        levels = {name: speaker.voice.level() for name, speaker in self._speakers.items() if speaker.voice is not None}
        before, self.levels = self.levels, levels
        self.files.note_levels(levels)
        if self._mix_tap.keeps(self._position) and (any(levels.values()) or any(before.values())):
            self._outputs.hint(Levels(self.space, levels))

    def _watch_speakers(self, now: float) -> None:
        """Check whether the sound of each open microphone arrives."""
        for name, speaker in self._speakers.items():
            peer = self.peers.get(name)
            if peer is not None and peer.connected:
                peer.connection.watch(speaker.voice is not None, peer.source, now)
                self._tell_connection(peer, now)

    def _tell_connection(self, peer: Peer, now: float) -> None:
        """Tell a participant how their connection is, if that has changed."""
        state = peer.connection.news(now)
        if state is not None:
            self._outputs.hint(ConnectionState(self.space, peer.participant, *state.words))

    @property
    def files_belong_to(self) -> str:
        """The boot that is to write the files which are still written here, empty if there is none."""
        leaves = self.files.feed is not None and self._boot == self.standing.boot_before
        return self.standing.boot if leaves else ""

    def writes_files_for(self, boot: str, now: float) -> bool:
        """Whether this boot writes the files when the web side wants `boot` to: it does so until the hand-over."""
        is_meant = boot == self._boot or (boot == self.standing.boot and self._boot == self.standing.boot_before)
        return is_meant and self._room_time(now) < self.standing.kept_by(self._boot)[1] * MS

    def is_done(self, now: float) -> bool:
        """Whether to close it here: it has had no peers for a while, or it sounds on another node.

        A Space without peers that is placed elsewhere stays for a while, because it may be about to move here.
        """
        if not self.peers:
            return now - self.last_peer_at > EMPTY_SECONDS
        return self._is_elsewhere(now)

    def _is_elsewhere(self, now: float) -> bool:
        """Whether it is placed on another boot, and no move from here to there is under way any more."""
        if self.standing.places_on(self._boot):
            return False
        stays = self._boot == self.standing.boot_before
        return not stays or self._room_time(now) > (self.standing.from_ms / 1000 + LEFT_SECONDS) * SAMPLE_RATE

    def close_chunks(self) -> None:
        """Close every open chunk: the Space ends, or the node stops."""
        self._mix_tap.close()
        for speaker in self._speakers.values():
            if speaker.tap is not None:
                speaker.tap.close()

    @property
    def all_drops(self) -> Counter[str]:
        """What was thrown away here, by cause, including that of the peers here."""
        total = self.drops.copy()
        for peer in self.peers.values():
            if peer.drops:
                total.update(peer.drops)
        return total

    @property
    def voice_counts(self) -> Counter[str]:
        """The VOICE_COUNTS of all voices since the Space came here, including those that are over."""
        total = self._past_voices.copy()
        for speaker in self._speakers.values():
            total.update(speaker.counts)
        return total

    @property
    def held(self) -> Held:
        """What the node answers about this Space."""
        return Held(
            space=self.space,
            version=self.standing.version,
            peers=len(self.peers),
            here=frozenset(name for name, peer in self.peers.items() if peer.connected),
            connected=len(self.audiences),
            long=len(self.audiences.long),
            encoder_step=self._encoder.step,
            voices={name: speaker.held for name, speaker in self._speakers.items()},
            levels=self.levels,
            receptions={name: peer.reception for name, peer in self.peers.items() if peer.reception},
            drops=dict(self.all_drops),
        )

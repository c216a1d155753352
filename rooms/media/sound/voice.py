"""One voice in the mix: from the packets of a speaker to 20 ms of PCM per tick."""

from collections.abc import Callable
from functools import cache

import numpy as np

from rooms.media.sound.jitter import MAX_CONCEALED, JitterBuffer, Kind, Piece
from rooms.media.sound.leveller import Leveller
from rooms.media.sound.opus import Decoder, OpusError, Pcm
from rooms.media.units import FRAME

AUDIBLE_RMS = 16.0  # about -66 dBFS; below it a voice is not mixed
HANGOVER = 20  # ticks for which a voice stays in the mix after it was last audible
QUIET_RMS = 180.0  # about -45 dBFS; a softer frame may be left out to make the buffer shallower
FADE = 240  # samples, 5 ms

OnPacket = Callable[[Piece, float], None]


class Voice:
    """Decodes, conceals and follows the speaker's clock. Gives sound only while the voice is audible.

    `on_packet(piece, arrived)` is called for each packet in order, with the time at which it came or would have come
    without jitter, in seconds of the node's clock. `leveller` outlives a mute.
    """

    def __init__(self, on_packet: OnPacket | None = None, leveller: Leveller | None = None) -> None:
        self.jitter = JitterBuffer()
        self._decoder = Decoder()
        self._on_packet = on_packet
        self._leveller = leveller or Leveller()
        self._pending = np.zeros(0, np.int16)
        self._hangover = 0
        self._rms = 0.0
        self._energy, self._ticks = 0.0, 0
        self._invented = 0  # samples concealed in a row
        self._resuming = True  # whether the next packet comes after silence
        self._audible = False  # whether the last tick gave sound

    def pull(self, now: float) -> Pcm | None:
        """The 960 samples of the tick at `now` seconds, None while the voice is not audible."""
        if self.is_still:
            self._pending = self._pending[:0]
            return None
        wanted = FRAME + self.jitter.stretch(now, len(self._pending))
        may_spare = True  # one frame per tick: decoding and dropping takes time, too
        while len(self._pending) < wanted:
            may_spare = self._fill(now, may_spare)
        taken, self._pending = self._pending[:wanted], self._pending[wanted:]
        return self._gate(resampled(taken, FRAME))

    @property
    def is_still(self) -> bool:
        """Whether nothing comes and nothing audible is left to play."""
        return self.jitter.is_idle and not self._audible

    def skip(self, ticks: int) -> None:
        """Leave out ticks that the node missed."""
        self.jitter.skip(ticks * FRAME)

    def fade_out(self) -> Pcm | None:
        """One last frame that fades to silence, None if the voice is not audible.

        It consists of what is left of the packet before, then of sound that the decoder invents. No further packet is
        played.
        """
        if not self._audible:
            return None
        self._audible = False
        rest = np.concatenate((self._pending, self._decoder.conceal(FADE)))[:FADE]
        last = np.zeros(FRAME, np.int16)
        last[:FADE] = np.clip(rest * self._leveller.gain, -32768, 32767) * _ramp(FADE)[::-1]
        return last

    def level(self) -> int:
        """How loud the voice was since the last call: 0 to 100, for -60 dBFS to full scale."""
        power = self._energy / self._ticks if self._ticks else 0.0
        self._energy, self._ticks = 0.0, 0
        if power < 1.0:
            return 0
        decibel = 10 * np.log10(power / 32768.0**2)
        return int(np.clip((decibel + 60) * 100 / 60, 0, 100))

    def _fill(self, now: float, may_spare: bool) -> bool:
        """Take the next piece. Returns whether another frame may still be left out in this tick."""
        piece = self.jitter.next()
        if piece.kind is Kind.PACKET and self._on_packet is not None:
            self._on_packet(piece, self.jitter.arrived(piece.timestamp, now))
        sound = self._decode(piece)
        if may_spare and self._is_spare(sound, now):
            return False
        self._pending = np.concatenate((self._pending, sound)) if len(self._pending) else sound
        return may_spare

    def _is_spare(self, sound: Pcm, now: float) -> bool:
        """Whether to leave out this soft frame because the buffer is needlessly deep."""
        return self.jitter.excess(now, len(self._pending)) > 3 * FRAME and rms(sound) < QUIET_RMS

    def _decode(self, piece: Piece) -> Pcm:
        try:
            if piece.kind is Kind.PACKET:
                return self._resumed(self._decoder.decode(piece.payload))
            if piece.kind is Kind.LOST and piece.payload:
                return self._decoder.recover(piece.payload, piece.samples)
            if piece.kind is Kind.LOST:
                return self._fading(self._decoder.conceal(piece.samples))
        except OpusError:
            self.jitter.malformed += 1
        self._resuming = True
        return np.zeros(piece.samples, np.int16)

    def _resumed(self, sound: Pcm) -> Pcm:
        """Begin softly after silence."""
        self._invented = 0
        if self._resuming:
            self._resuming = False
            start = min(FADE, len(sound))
            sound[:start] = sound[:start] * _ramp(FADE)[:start]
        return sound

    def _fading(self, sound: Pcm) -> Pcm:
        """Fade invented sound out, down to the silence that the jitter buffer gives after it."""
        places = self._invented + np.arange(len(sound))
        self._invented += len(sound)
        return (sound * np.clip(1.0 - places / (MAX_CONCEALED * FRAME), 0.0, 1.0)).astype(np.int16)

    def _gate(self, sound: Pcm) -> Pcm | None:
        power = float(np.dot(sound.astype(np.float32), sound.astype(np.float32))) / FRAME
        self._energy += power
        self._ticks += 1
        self._hangover = HANGOVER if power > AUDIBLE_RMS**2 else max(0, self._hangover - 1)
        self._audible = self._hangover > 0
        return self._leveller.level(sound, power) if self._audible else None


def rms(sound: Pcm) -> float:
    """The root mean square of int16 samples, 0 for none."""
    return float(np.sqrt(np.mean(np.square(sound, dtype=np.float64)))) if len(sound) else 0.0


def resampled(sound: Pcm, length: int) -> Pcm:
    """Resample to `length` samples by linear interpolation. Returns the same array if it has that length."""
    if len(sound) == length:
        return sound
    places = np.linspace(0, len(sound) - 1, length)
    return np.interp(places, np.arange(len(sound)), sound).astype(np.int16)


@cache
def _ramp(length: int) -> np.ndarray:
    return np.linspace(0.0, 1.0, length, dtype=np.float32)

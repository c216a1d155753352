"""What a peer without a browser has received: packets, and their sound if it decodes."""

from dataclasses import dataclass, field

import numpy as np
from aiortc.rtp import RtcpSrPacket

from rooms.media.sound.opus import Pcm
from rooms.media.units import SAMPLE_RATE


@dataclass
class ReceivedSound:
    """What a peer has received. `sound` is kept only by peers that decode. Times are seconds of the peer's clock."""

    packets: int = 0
    octets: int = 0
    malformed: int = 0
    first_at: float | None = None
    sound: list[Pcm] = field(default_factory=list)
    arrivals: list[float] = field(default_factory=list)
    reports: list[RtcpSrPacket] = field(default_factory=list)
    reported_at: float = 0.0  # of the latest report
    last_at: float | None = None
    _first: int | None = None
    _highest: int = 0
    _sound_end: int | None = None

    def count(self, sequence: int, size: int, now: float) -> None:
        """Note a packet of `size` octets with an unwrapped sequence number."""
        if self._first is None:
            self._first = self._highest = sequence
            self.first_at = now
        self.last_at = now
        self._highest = max(self._highest, sequence)
        self.packets += 1
        self.octets += size

    @property
    def expected(self) -> int:
        """How many packets were sent since the first one that arrived, by their sequence numbers."""
        return self._highest - self._first + 1 if self._first is not None else 0

    @property
    def lost(self) -> int:
        """How many of the expected packets did not arrive."""
        return max(0, self.expected - self.packets)

    def keep(self, sound: Pcm, timestamp: int) -> None:
        """Keep the sound of a packet with this unwrapped RTP time, after silence for the time without packets."""
        gap = timestamp - self._sound_end if self._sound_end is not None else 0
        if gap > 0:
            self.sound.append(np.zeros(gap, np.int16))
        self._sound_end = max(self._sound_end or 0, timestamp + len(sound))
        self.sound.append(sound)

    def pcm(self, seconds: float | None = None) -> Pcm:
        """The decoded sound, or its last `seconds`."""
        whole = np.concatenate(self.sound) if self.sound else np.zeros(0, np.int16)
        return whole if seconds is None else whole[-round(seconds * SAMPLE_RATE) :]

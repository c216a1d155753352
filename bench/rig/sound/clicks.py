"""How long sound takes: clicks in the RTP that a speaker sends, found again in the RTP that a listener gets."""

import asyncio
import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from bench.rig.peers import Peer, TimedPacket
from rooms.media.client.peer import PAYLOAD_TYPE
from rooms.media.client.tones import encode
from rooms.media.clock import Ticker
from rooms.media.sound.opus import Decoder, Pcm
from rooms.media.units import FRAME, SAMPLE_RATE

EVERY = 24_337  # samples between clicks, about half a second, so that they fall on all positions in a packet
LENGTH = 480  # samples of a click, 10 ms
LOUD, SOFT = 16_000, 500  # amplitudes of a click, and of the hum between clicks that keeps the stream going
THRESHOLD = 5_000  # amplitude from which on it is a click
LONGEST = 0.4  # seconds; a later click would be taken for the next one


def clicks(seconds: float) -> Pcm:
    """A soft hum with clicks: bursts of 1 kHz."""
    at = np.arange(round(seconds * SAMPLE_RATE))
    hum = SOFT * np.sin(2 * np.pi * 200 * at / SAMPLE_RATE)
    burst = np.where((at % EVERY < LENGTH) & (at >= EVERY), LOUD * np.sin(2 * np.pi * 1000 * at / SAMPLE_RATE), 0.0)
    return (hum + burst).astype(np.int16)


def onsets(pcm: Pcm) -> list[int]:
    """The samples at which clicks begin."""
    loud = np.flatnonzero(np.abs(pcm.astype(np.int32)) > THRESHOLD)
    if not len(loud):
        return []
    return [int(place) for place in loud[np.flatnonzero(np.diff(loud, prepend=-EVERY) > EVERY // 2)]]


def moments(payloads: Sequence[bytes], times: Sequence[float]) -> npt.NDArray[np.float64]:
    """When clicks pass, in seconds: the time of the packet each begins in, plus its position in the packet."""
    decoder = Decoder()
    parts = [decoder.decode(payload) for payload in payloads]
    starts = np.cumsum([0, *(len(part) for part in parts)])
    found = onsets(np.concatenate(parts)) if parts else []
    packets = np.searchsorted(starts, found, side="right") - 1
    return np.array([times[p] + (o - starts[p]) / SAMPLE_RATE for p, o in zip(packets, found, strict=True)])


def delays(sent: npt.NDArray[np.float64], heard: npt.NDArray[np.float64]) -> list[float]:
    """The seconds between each click's sending and its arrival. Lost clicks are left out."""
    places = np.searchsorted(heard, sent)
    pairs = ((heard[place] - start) for place, start in zip(places, sent, strict=True) if place < len(heard))
    return [float(passed) for passed in pairs if passed < LONGEST]


class Clicker(Peer):
    """A speaker with a clock of its own. It sends clicks once and notes when each packet left."""

    def __init__(self, seconds: float, **options: Any) -> None:
        super().__init__(**options)
        self.payloads = encode(clicks(seconds))
        self.times: list[float] = []
        self._ticker: Ticker | None = None

    def start_clicking(self) -> None:
        """Send the first packet in 20 ms."""
        self._ticker = Ticker(asyncio.get_running_loop(), self._on_tick)
        self._ticker.start()

    def _on_tick(self, now: float, missed: int) -> None:
        for _ in range(1 + missed):
            self._click()

    def _click(self) -> None:
        if len(self.times) < len(self.payloads):
            self._timestamp = (self._timestamp + FRAME) & 0xFFFFFFFF
            self.times.append(time.monotonic())
            self.send_packet(self.payloads[len(self.times) - 1], PAYLOAD_TYPE)

    def tick(self, now: float) -> None:
        """Send checks when they are due."""
        if now >= self._next_check and self._address is not None:
            self._check()

    def vanish(self) -> None:
        """Disappear without a goodbye."""
        if self._ticker is not None:
            self._ticker.stop()
        super().vanish()

    def delays(self, received: Sequence[TimedPacket]) -> list[float]:
        """The seconds that each click took to a listener that got these packets."""
        heard = moments([packet.payload for packet in received], [packet.at for packet in received])
        return delays(moments(self.payloads[: len(self.times)], self.times), heard)

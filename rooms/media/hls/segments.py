"""A part of the mix without breaks, in each encoding, cut into segments: fragmented MP4 (CMAF), by PyAV.

Times are samples of room time at 48 kHz, also in the files (`tfdt`), so they are the same in all encodings and on all
nodes. Segments begin with the first packet at or after each multiple of two seconds.
"""

import io
from abc import ABC, abstractmethod
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from typing import Any

import av
import numpy as np

from rooms.media.capture.ogg import OggWriter
from rooms.media.hls.playlist import TARGET_SECONDS
from rooms.media.sound.opus import SILENT_PACKET
from rooms.media.units import FRAME, SAMPLE_RATE

SEGMENT = TARGET_SECONDS * SAMPLE_RATE
AAC_BITRATE = 32_000
ENCODINGS = {"aac": ("mp4a.40.2", 48_000), "opus": ("opus", 48_000)}  # codec and bit/s at most, for the master playlist
_TIME_BASE = Fraction(1, SAMPLE_RATE)
_FLAGS = "cmaf+empty_moov+default_base_moof+frag_discont+skip_trailer"


@dataclass(frozen=True)
class Cut:
    """A finished segment: its first sample, its length in samples, the boxes a decoder needs first, and its data."""

    start: int
    samples: int
    init: bytes
    data: bytes


class Encoding(ABC):
    """The packets of one encoding until they are cut. `template` is a stream of the same parameters."""

    template: Any

    def __init__(self) -> None:
        self._packets: list[Any] = []

    @abstractmethod
    def write(self, pcm: bytes, packets: list[bytes], position: int) -> None:
        """Take a piece of the mix as int16 samples and as packets of 20 ms."""

    @abstractmethod
    def finish(self) -> None:
        """Take the packets that the encoder still holds."""

    def reaches(self, boundary: int) -> bool:
        """Whether all packets that begin before `boundary` are there."""
        return bool(self._packets) and self._packets[-1].pts >= boundary

    def cut(self, boundary: int | None, number: int) -> Cut | None:
        """Take the packets that begin before `boundary`, or all, as segment `number`. None if there are none."""
        taken = [packet for packet in self._packets if boundary is None or packet.pts < boundary]
        self._packets = self._packets[len(taken) :]
        if not taken:
            return None
        start, samples = taken[0].pts, sum(packet.duration for packet in taken)
        init, data = split(self._file(taken, number))
        return Cut(start, samples, init, data)

    def _file(self, packets: list[Any], number: int) -> bytes:
        file = io.BytesIO()
        options = {"movflags": _FLAGS, "fragment_index": str(number % 2**30 + 1), "use_editlist": "0"}
        with av.open(file, "w", format="mp4", options=options) as container:
            stream = container.add_stream_from_template(self.template)
            stream.time_base = _TIME_BASE
            for packet in packets:
                packet.stream = stream
                container.mux(packet)
        return file.getvalue()


class Aac(Encoding):
    """FFmpeg's AAC-LC. Its first packet only primes the decoder: it lies 1,024 samples before the sound."""

    def __init__(self) -> None:
        super().__init__()
        self._container = av.open(io.BytesIO(_silent_aac()), "r", format="mp4")
        self.template = self._container.streams[0]
        self._encoder = av.CodecContext.create("aac", "w")
        self._encoder.sample_rate, self._encoder.layout, self._encoder.format = SAMPLE_RATE, "mono", "fltp"
        self._encoder.bit_rate, self._encoder.time_base = AAC_BITRATE, _TIME_BASE
        self._encoder.open()

    def write(self, pcm: bytes, packets: list[bytes], position: int) -> None:
        frame = av.AudioFrame.from_ndarray(np.frombuffer(pcm, np.int16).reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate, frame.time_base, frame.pts = SAMPLE_RATE, _TIME_BASE, position
        self._packets += self._encoder.encode(frame)

    def finish(self) -> None:
        self._packets += self._encoder.encode(None)


@cache
def _silent_aac() -> bytes:
    """A file of silence: the muxer takes parameters from a stream that was read, not from an encoder."""
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as container:
        stream = container.add_stream("aac", rate=SAMPLE_RATE, layout="mono")
        stream.codec_context.bit_rate = AAC_BITRATE
        frame = av.AudioFrame.from_ndarray(np.zeros((1, FRAME), np.int16), format="s16", layout="mono")
        frame.sample_rate = SAMPLE_RATE
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return file.getvalue()


class Opus(Encoding):
    """The packets that connected listeners get, unchanged."""

    def __init__(self) -> None:
        super().__init__()
        writer = OggWriter({})
        writer.write(SILENT_PACKET, 0)
        self._container = av.open(io.BytesIO(writer.finish()), "r", format="ogg")
        self.template = self._container.streams[0]

    def write(self, pcm: bytes, packets: list[bytes], position: int) -> None:
        for place, payload in enumerate(packets):
            packet = av.Packet(payload)
            packet.pts = packet.dts = position + place * FRAME
            packet.duration, packet.time_base, packet.is_keyframe = FRAME, _TIME_BASE, True
            self._packets.append(packet)

    def finish(self) -> None:
        """Do nothing: no packet is held back."""


class Stretch:
    """Sound without a break from `position` on, in samples of room time."""

    def __init__(self, position: int) -> None:
        self.end = position
        self._boundary = (position // SEGMENT + 1) * SEGMENT
        self._encodings: dict[str, Encoding] = {"aac": Aac(), "opus": Opus()}

    def write(self, pcm: bytes, packets: list[bytes]) -> None:
        """Add the next piece: its packets, and 960 int16 samples for each."""
        for encoding in self._encodings.values():
            encoding.write(pcm, packets, self.end)
        self.end += len(packets) * FRAME

    @property
    def is_whole(self) -> bool:
        """Whether the next segment is complete in each encoding."""
        return all(encoding.reaches(self._boundary) for encoding in self._encodings.values())

    def cut(self, number: int) -> dict[str, Cut] | None:
        """The next segment by encoding, None until it is complete in all of them."""
        if not self.is_whole:
            return None
        boundary, self._boundary = self._boundary, self._boundary + SEGMENT
        return self._cuts(boundary, number)

    def finish(self, number: int) -> dict[str, Cut] | None:
        """What is left as a last segment, by encoding. None if nothing is left."""
        for encoding in self._encodings.values():
            encoding.finish()
        return self._cuts(None, number)

    def _cuts(self, boundary: int | None, number: int) -> dict[str, Cut] | None:
        cuts = {name: encoding.cut(boundary, number) for name, encoding in self._encodings.items()}
        whole = {name: cut for name, cut in cuts.items() if cut is not None}
        return whole if len(whole) == len(cuts) else None


def split(file: bytes) -> tuple[bytes, bytes]:
    """The boxes up to `moov`, and those after it (ISO/IEC 14496-12 section 4.2)."""
    place = 0
    while file[place + 4 : place + 8] != b"moov":
        place += int.from_bytes(file[place : place + 4], "big")
    place += int.from_bytes(file[place : place + 4], "big")
    return file[:place], file[place:]

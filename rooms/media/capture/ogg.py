"""Opus in Ogg (RFC 7845, RFC 3533): one packet per page, so that each packet has its own time and gaps stay."""

import struct
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from rooms.media.sound.opus import samples_of
from rooms.media.units import SAMPLE_RATE

_PAGE = struct.Struct("<4sBBqIIIB")
_BEGIN, _END = 2, 4
_MIRROR = bytes(int(f"{octet:08b}"[::-1], 2) for octet in range(256))
_VENDOR = b"spaces"


class OggError(ValueError):
    """The data is not Ogg Opus as it is written here."""


def checksum(page: bytes) -> int:
    """The CRC of a page (RFC 3533 section 6): zlib's polynomial with the bits in reverse order."""
    raw = zlib.crc32(page.translate(_MIRROR), 0xFFFFFFFF) ^ 0xFFFFFFFF
    return int.from_bytes(raw.to_bytes(4, "little").translate(_MIRROR), "big")


def _page(body: bytes, flags: int, granule: int, serial: int, number: int) -> bytes:
    lacing = b"\xff" * (len(body) // 255) + bytes([len(body) % 255])
    header = _PAGE.pack(b"OggS", 0, flags, granule, serial, number, 0, len(lacing)) + lacing
    crc = checksum(header + body)
    return header[:22] + struct.pack("<I", crc) + header[26:] + body


class OggWriter:
    """Collects the packets of one mono stream. Positions are samples at 48 kHz from the start of the file."""

    def __init__(self, tags: Mapping[str, str], serial: int = 1) -> None:
        self._serial, self._pages = serial, 0
        self._data = bytearray()
        self._last: tuple[bytes, int] | None = None
        self._append(struct.pack("<8sBBHIhB", b"OpusHead", 1, 1, 0, SAMPLE_RATE, 0, 0), _BEGIN, 0)
        self._append(_comments(tags), 0, 0)

    def write(self, payload: bytes, position: int) -> None:
        """Add a packet whose first sample is at `position`. Positions never decrease."""
        self._flush(0)
        self._last = payload, position + samples_of(payload)

    def finish(self) -> bytes:
        """The whole file."""
        self._flush(_END)
        return bytes(self._data)

    def _flush(self, flags: int) -> None:
        if self._last is not None:
            self._append(self._last[0], flags, self._last[1])
            self._last = None

    def _append(self, body: bytes, flags: int, granule: int) -> None:
        self._data += _page(body, flags, granule, self._serial, self._pages)
        self._pages += 1


def _comments(tags: Mapping[str, str]) -> bytes:
    entries = [f"{name}={value}".encode() for name, value in tags.items()]
    listed = b"".join(struct.pack("<I", len(entry)) + entry for entry in entries)
    return b"OpusTags" + struct.pack("<I", len(_VENDOR)) + _VENDOR + struct.pack("<I", len(entries)) + listed


@dataclass(frozen=True)
class Placed:
    """One Opus packet, and the position of its first sample from the start of the file. Samples at 48 kHz."""

    position: int
    samples: int
    payload: bytes


@dataclass
class OggOpus:
    """The content of a file."""

    tags: dict[str, str] = field(default_factory=dict)
    packets: list[Placed] = field(default_factory=list)

    @property
    def samples(self) -> int:
        """Samples from the start of the file to the end of its last packet, including gaps."""
        return self.packets[-1].position + self.packets[-1].samples if self.packets else 0


def read(data: bytes) -> OggOpus:
    """Read a file that OggWriter wrote. Raises OggError if it is cut off, damaged or anything else."""
    pages = list(_pages(data))
    if len(pages) < 2 or not pages[0][1].startswith(b"OpusHead") or not pages[1][1].startswith(b"OpusTags"):
        raise OggError("no Opus header")
    try:
        result = OggOpus(_read_comments(pages[1][1]))
    except (struct.error, UnicodeDecodeError) as error:
        raise OggError("damaged tags") from error
    for granule, body in pages[2:]:
        samples = samples_of(body)
        if not samples or granule < samples:
            raise OggError("not an Opus packet")
        result.packets.append(Placed(granule - samples, samples, body))
    return result


def _pages(data: bytes) -> Iterator[tuple[int, bytes]]:
    start = 0
    while start < len(data):
        if len(data) - start < _PAGE.size:
            raise OggError("cut off in a page header")
        magic, _, _, granule, _, _, crc, segments = _PAGE.unpack_from(data, start)
        body = start + _PAGE.size + segments
        end = body + sum(data[start + _PAGE.size : body])
        if magic != b"OggS" or end > len(data):
            raise OggError("no page, or cut off in one")
        if crc != checksum(data[start : start + 22] + bytes(4) + data[start + 26 : end]):
            raise OggError("wrong checksum")
        yield granule, data[body:end]
        start = end


def _read_comments(body: bytes) -> dict[str, str]:
    (vendor,) = struct.unpack_from("<I", body, 8)
    place = 12 + vendor
    (count,) = struct.unpack_from("<I", body, place)
    tags, place = {}, place + 4
    for _ in range(min(count, len(body) // 4)):
        (length,) = struct.unpack_from("<I", body, place)
        name, _, value = body[place + 4 : place + 4 + length].decode().partition("=")
        tags[name], place = value, place + 4 + length
    return tags

"""STUN binding requests and answers, as ICE uses them (RFC 8489, RFC 8445), at little cost per message.

aioice implements all of STUN and takes about 80 us a message. A node with thousands of peers needs only the few
attributes of a connectivity check, and has to drop what strangers send at next to no cost.
"""

import hmac
import ipaddress
import struct
import zlib
from typing import NamedTuple

COOKIE = 0x2112A442
REQUEST, SUCCESS, FAILURE = 0x0001, 0x0101, 0x0111
HEADER = 20
USERNAME, INTEGRITY, XOR_ADDRESS, PRIORITY, USE_CANDIDATE = 0x0006, 0x0008, 0x0020, 0x0024, 0x0025
FINGERPRINT, CONTROLLED, CONTROLLING = 0x8028, 0x8029, 0x802A
INTEGRITY_SIZE, FINGERPRINT_SIZE = 24, 8
TAIL = INTEGRITY_SIZE + FINGERPRINT_SIZE  # octets at the end of every message of ICE
_FINGERPRINT_XOR = 0x5354554E
_COOKIE = COOKIE.to_bytes(4, "big")
_MAX_ATTRIBUTES = 32


class Message(NamedTuple):
    """One message: its type, its transaction (12 octets), and its attributes by type, up to MESSAGE-INTEGRITY."""

    kind: int
    transaction: bytes
    attributes: dict[int, bytes]

    @property
    def fragments(self) -> tuple[bytes, bytes]:
        """The two fragments of the user name: the receiver's and the sender's."""
        receiver, _, sender = self.attributes.get(USERNAME, b"").partition(b":")
        return receiver, sender

    @property
    def priority(self) -> int:
        """The PRIORITY attribute, 0 if missing."""
        return int.from_bytes(self.attributes.get(PRIORITY, b"")[:4], "big")


def parse(data: bytes) -> Message:
    """Read a message that ends with MESSAGE-INTEGRITY and FINGERPRINT, and check the latter.

    Raises ValueError if it is none. `is_signed` checks the signature once the password is known.
    """
    if len(data) < HEADER + TAIL or data[4:8] != _COOKIE:
        raise ValueError("not a STUN message of ICE")
    kind, length = struct.unpack_from("!HH", data)
    if length != len(data) - HEADER or length % 4:
        raise ValueError("wrong STUN length")
    if data[-8:-4] != b"\x80\x28\x00\x04" or data[-32:-28] != b"\x00\x08\x00\x14":
        raise ValueError("MESSAGE-INTEGRITY and FINGERPRINT do not end the message")
    if int.from_bytes(data[-4:], "big") != zlib.crc32(data[:-FINGERPRINT_SIZE]) ^ _FINGERPRINT_XOR:
        raise ValueError("wrong FINGERPRINT")
    return Message(kind, data[8:HEADER], _attributes(data))


def _attributes(data: bytes) -> dict[int, bytes]:
    found: dict[int, bytes] = {}
    place, end = HEADER, len(data) - TAIL
    while place < end:
        if len(found) == _MAX_ATTRIBUTES or place + 4 > end:
            raise ValueError("malformed STUN attributes")
        kind, length = struct.unpack_from("!HH", data, place)
        if place + 4 + length > end:
            raise ValueError("STUN attribute longer than the message")
        found.setdefault(kind, data[place + 4 : place + 4 + length])
        place += 4 + length + (-length % 4)
    return found


def is_signed(data: bytes, password: bytes) -> bool:
    """Check the MESSAGE-INTEGRITY of a message that `parse` accepts."""
    return hmac.compare_digest(data[-28:-8], _signature(data[:-TAIL], password))


def _signature(message: bytes, password: bytes) -> bytes:
    length = len(message) - HEADER + INTEGRITY_SIZE  # as if the message ended with its signature
    return hmac.digest(password, message[:2] + length.to_bytes(2, "big") + message[4:], "sha1")


def build(kind: int, transaction: bytes, attributes: bytes, password: bytes) -> bytes:
    """A message with these encoded attributes, signed and with a fingerprint."""
    head = struct.pack("!HH", kind, len(attributes) + TAIL) + _COOKIE + transaction + attributes
    signed = head + b"\x00\x08\x00\x14" + _signature(head, password)
    return signed + struct.pack("!HHI", FINGERPRINT, 4, zlib.crc32(signed) ^ _FINGERPRINT_XOR)


def attribute(kind: int, value: bytes = b"") -> bytes:
    """Encode one attribute."""
    return struct.pack("!HH", kind, len(value)) + value + bytes(-len(value) % 4)


def xor_address(host: str, port: int, transaction: bytes) -> bytes:
    """Encode the attribute XOR-MAPPED-ADDRESS (RFC 8489 section 14.2)."""
    address = ipaddress.ip_address(host).packed
    mask = _COOKIE + transaction
    masked = bytes(octet ^ pad for octet, pad in zip(address, mask, strict=False))
    family = 1 if len(address) == 4 else 2
    return attribute(XOR_ADDRESS, struct.pack("!xBH", family, port ^ COOKIE >> 16) + masked)

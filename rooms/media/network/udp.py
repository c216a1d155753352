"""One UDP port, with many packets per system call (Linux's recvmmsg and sendmmsg, by ctypes).

An address is kept as the kernel's bytes: the socket address of the other side and, on a port that listens on several
addresses, our address that the packet came to. Answers have to leave from that one, or a browser ignores them.
Addresses are compared, stored and handed back without being turned into text.

The calls keep the interpreter lock. None of them waits.
"""

import ctypes
import errno
import os
import socket
import struct
import sys
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from rooms.media.network.rtp import MAX_PACKET

BATCH = 64
QUEUE = 4 * 1024 * 1024  # octets; without CAP_NET_ADMIN limited by net.core.rmem_max and wmem_max
WILDCARDS = ("::", "0.0.0.0")  # noqa: S104 -- the operator chooses
_SLOT = 2048
_DONTWAIT = 0x40
_MAX_VECTOR = 1024  # messages in one call (UIO_MAXIOV)
_CONTROL = 40  # octets of the longest control message used here
_CONTROL_HEADER = 16
_SIZE = struct.Struct("=Q")
_SO_MEMINFO, _SO_RCVBUFFORCE, _SO_SNDBUFFORCE = 55, 33, 32  # socket(7); not in Python's socket module
_MEMINFO = struct.Struct("=9I")  # the last number is of dropped packets (SK_MEMINFO_DROPS)

IOVEC = np.dtype([("base", "u8"), ("size", "u8")])
MESSAGE = np.dtype(  # struct mmsghdr on 64-bit Linux
    [
        ("name", "u8"),
        ("name_size", "u4"),
        ("_1", "u4"),
        ("vector", "u8"),
        ("vector_size", "u8"),
        ("control", "u8"),
        ("control_size", "u8"),
        ("flags", "i4"),
        ("_2", "u4"),
        ("size", "u4"),
        ("_3", "u4"),
    ]
)

_UNSPECIFIED = struct.pack("=H26x", socket.AF_UNSPEC)  # disconnects a connected socket (connect(2))

_libc = ctypes.PyDLL(None, use_errno=True)
_libc.recvmmsg.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_uint, ctypes.c_int, ctypes.c_void_p]
_libc.sendmmsg.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_uint, ctypes.c_int]
_libc.connect.argtypes = [ctypes.c_int, ctypes.c_char_p, ctypes.c_uint]
_libc.sendto.argtypes = [ctypes.c_int, ctypes.c_char_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_char_p, ctypes.c_uint]


class _Family(NamedTuple):
    """How an address family carries the local address of a packet (ip(7), ipv6(7): PKTINFO)."""

    name_size: int  # octets of a socket address
    level: int
    ask: int  # the socket option that turns it on
    kind: int  # of the control message
    info_size: int  # octets in the control message
    local: slice  # of the address in them


_FAMILIES = {
    socket.AF_INET: _Family(16, socket.IPPROTO_IP, 8, 8, 12, slice(4, 8)),
    socket.AF_INET6: _Family(28, socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, socket.IPV6_PKTINFO, 20, slice(0, 16)),
}


class Envelopes:
    """Message headers for packets in the rows of `packets`, an array of (rows, octets). Each row has its own address.

    `sizes` are the octets of the packets to send. After receiving, `headers["size"]` are the octets that arrived.
    `is_usual(address)` says whether the kernel would send from the same address of ours by default; None on a port with
    one address. Packets that name our address cost more.
    """

    def __init__(
        self, packets: npt.NDArray[np.uint8], family: _Family, is_usual: Callable[[bytes], bool] | None
    ) -> None:
        count = len(packets)
        rows = np.arange(count, dtype=np.uint64)
        self._packets = packets
        self._family = family
        self.names = np.zeros((count, family.name_size), np.uint8)
        self.controls = np.zeros((count, _CONTROL), np.uint8)
        self.vectors = np.zeros(count, IOVEC)
        self.vectors["base"] = packets.ctypes.data + rows * np.uint64(packets.strides[0])
        self.sizes = self.vectors["size"]
        self.headers = np.zeros(count, MESSAGE)
        for field, array in (("name", self.names), ("vector", self.vectors), ("control", self.controls)):
            self.headers[field] = array.ctypes.data + rows * np.uint64(array.strides[0])
        self.headers["name_size"] = family.name_size
        self.headers["vector_size"] = 1
        self._is_usual = is_usual
        self._locals = self.controls[:, _CONTROL_HEADER:][:, family.local]
        self._control_size = _CONTROL_HEADER + (family.info_size + 7) // 8 * 8
        head = struct.pack("=Qii", _CONTROL_HEADER + family.info_size, family.level, family.kind)
        self.controls[:, :_CONTROL_HEADER] = np.frombuffer(head, np.uint8)
        if is_usual is not None:
            self.headers["control_size"] = self._control_size

    def address(self, row: int, address: bytes) -> None:
        """Send the packet of this row to this address."""
        size = self._family.name_size
        self.names[row] = np.frombuffer(address[:size], np.uint8)
        if self._is_usual is not None:
            self._locals[row] = np.frombuffer(address[size:], np.uint8)
            self.headers["control_size"][row] = 0 if self._is_usual(address) else self._control_size

    def move(self, to: int, row: int) -> None:
        """Copy the address of a row to another."""
        self.names[to] = self.names[row]
        self.controls[to] = self.controls[row]
        self.headers["control_size"][to] = self.headers["control_size"][row]


class UdpPort:
    """A socket on one address, or on all of them. On a machine with IPv6 "::" takes IPv4, too.

    `batch` is the number of packets per read, `queue` the octets that the kernel may keep each way. Raises OSError if
    the port is taken or the address is not one of this machine.
    """

    def __init__(self, host: str = "::", port: int = 0, batch: int = BATCH, queue: int = QUEUE) -> None:
        self.socket = _bound(host, port, queue)
        self.port: int = self.socket.getsockname()[1]
        self._descriptor = self.socket.fileno()
        self._family = _FAMILIES[self.socket.family]
        self._local = host in WILDCARDS
        self._probe: socket.socket | None = None
        if self._local:
            self.socket.setsockopt(self._family.level, self._family.ask, 1)
            self._probe = socket.socket(self.socket.family, socket.SOCK_DGRAM)
        self.batch = batch
        self._buffers = np.zeros(batch * _SLOT, np.uint8)
        self._view = self._buffers.data
        self._incoming = self.envelopes(self._buffers.reshape(batch, _SLOT))
        self._incoming.sizes[:] = _SLOT
        self._names, self._controls = self._incoming.names.reshape(-1).data, self._incoming.controls.reshape(-1).data
        self._incoming_address = self._incoming.headers.ctypes.data
        single = np.zeros((1, _SLOT), np.uint8)
        self._outgoing = self.envelopes(single)
        self._single, self._single_address = single.reshape(-1).data, self._outgoing.headers.ctypes.data
        self._single_name = self._outgoing.names.reshape(-1).data
        self._single_local = self._outgoing.controls.reshape(-1).data[_CONTROL_HEADER:][self._family.local]
        self._single_vector = self._outgoing.vectors.view(np.uint8).data

    @property
    def is_ipv6(self) -> bool:
        """Whether this is an IPv6 socket."""
        return self.socket.family == socket.AF_INET6

    def envelopes(self, packets: npt.NDArray[np.uint8]) -> Envelopes:
        """Message headers for sending the rows of `packets` from here."""
        return Envelopes(packets, self._family, self._is_usual if self._local else None)

    def _is_usual(self, address: bytes) -> bool:
        """Whether the kernel would send from the same address of ours by default, as routes are now."""
        name, local = address[: self._family.name_size], address[self._family.name_size :]
        if self._probe is None:
            return False
        _libc.connect(self._probe.fileno(), _UNSPECIFIED, len(_UNSPECIFIED))  # else it keeps the first local address
        if _libc.connect(self._probe.fileno(), name, len(name)) < 0:
            return False
        return bool(self._probe.getsockname()[0] == socket.inet_ntop(self.socket.family, local))

    def receive(self) -> list[tuple[bytes, bytes]]:
        """What waits as (data, address), at most a batch. Datagrams are cut to MAX_PACKET + 1 octets."""
        headers = self._incoming.headers
        if self._local:
            headers["control_size"] = _CONTROL
        count = _libc.recvmmsg(self._descriptor, self._incoming_address, self.batch, _DONTWAIT, None)
        if count <= 0:
            return []
        sizes = np.minimum(headers["size"][:count], MAX_PACKET + 1).tolist()
        view = self._view
        return [(bytes(view[row * _SLOT : row * _SLOT + size]), self._address(row)) for row, size in enumerate(sizes)]

    def _address(self, row: int) -> bytes:
        size = self._family.name_size
        name = self._names[row * size : (row + 1) * size]
        if not self._local:
            return bytes(name)
        place, local = row * _CONTROL + _CONTROL_HEADER, self._family.local
        return bytes(name) + bytes(self._controls[place + local.start : place + local.stop])

    def send(self, data: bytes, address: bytes) -> bool:
        """Send one packet. Returns False if the kernel did not take it."""
        if not self._local:
            return _libc.sendto(self._descriptor, data, len(data), _DONTWAIT, address, len(address)) >= 0
        size = self._family.name_size
        self._single[: len(data)] = data
        self._single_name[:], self._single_local[:] = address[:size], address[size:]
        _SIZE.pack_into(self._single_vector, _SIZE.size, len(data))
        return _libc.sendmmsg(self._descriptor, self._single_address, 1, _DONTWAIT) == 1

    def send_many(self, headers: npt.NDArray[np.void]) -> int:
        """Send contiguous message headers (MESSAGE) without waiting. Returns how many the kernel took."""
        base, count, done, sent = headers.ctypes.data, len(headers), 0, 0
        while done < count:
            taken = _libc.sendmmsg(
                self._descriptor, base + done * MESSAGE.itemsize, min(count - done, _MAX_VECTOR), _DONTWAIT
            )
            if taken > 0:
                sent, done = sent + taken, done + taken
            elif ctypes.get_errno() in (errno.EAGAIN, errno.ENOBUFS):
                break
            else:
                done += 1  # there is no route to this one; go on with the others
        return sent

    @property
    def overflowed(self) -> int:
        """How many packets the kernel has dropped, nearly all of them because the queue was full."""
        numbers = self.socket.getsockopt(socket.SOL_SOCKET, _SO_MEMINFO, _MEMINFO.size)
        return int(_MEMINFO.unpack(numbers)[-1])

    def close(self) -> None:
        """Close the port."""
        self.socket.close()
        if self._probe is not None:
            self._probe.close()

    def pack(self, host: str, port: int) -> bytes:
        """The address of a numeric host for packets from here."""
        if self.socket.family == socket.AF_INET:
            name = struct.pack("=H", socket.AF_INET) + struct.pack("!H4s8x", port, socket.inet_aton(host))
        else:
            packed = socket.inet_pton(socket.AF_INET6, host if ":" in host else f"::ffff:{host}")
            name = struct.pack("=H", socket.AF_INET6) + struct.pack("!HI16s4x", port, 0, packed)
        return name + self._any(host) if self._local else name

    def _any(self, host: str) -> bytes:
        """The local address that leaves the choice to the kernel."""
        if self.socket.family == socket.AF_INET:
            return bytes(4)
        return socket.inet_pton(socket.AF_INET6, "::" if ":" in host else "::ffff:0.0.0.0")


def unpack(address: bytes) -> tuple[str, int]:
    """Host and port of the other side. IPv4 in IPv6 is given as IPv4."""
    family, port = int.from_bytes(address[:2], sys.byteorder), int.from_bytes(address[2:4], "big")
    if family == socket.AF_INET:
        return socket.inet_ntop(socket.AF_INET, address[4:8]), port
    if address[8:20] == b"\x00" * 10 + b"\xff\xff":
        return socket.inet_ntop(socket.AF_INET, address[20:24]), port
    return socket.inet_ntop(socket.AF_INET6, address[8:24]), port


def _bound(host: str, port: int, queue: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        sock = socket.socket(family, socket.SOCK_DGRAM)
    except OSError as error:
        if host == "::" and error.errno == errno.EAFNOSUPPORT:
            return _bound(WILDCARDS[1], port, queue)
        raise
    try:
        sock.setblocking(False)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, int(host != "::"))
        _make_room(sock, queue)
        sock.bind((host, port))
    except OSError as error:
        sock.close()
        raise OSError(error.errno, f"UDP port {port} on {host}: {os.strerror(error.errno or 0)}") from error
    return sock


def _make_room(sock: socket.socket, octets: int) -> None:
    """Let the kernel keep this many octets each way, so that a flood between two reads displaces nothing else."""
    for option, beyond_limit in ((socket.SO_RCVBUF, _SO_RCVBUFFORCE), (socket.SO_SNDBUF, _SO_SNDBUFFORCE)):
        try:
            sock.setsockopt(socket.SOL_SOCKET, beyond_limit, octets)
        except PermissionError:
            sock.setsockopt(socket.SOL_SOCKET, option, octets)

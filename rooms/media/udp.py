"""One UDP port, with many packets per system call (Linux's recvmmsg and sendmmsg, by ctypes).

Addresses are kept as the kernel's socket addresses (``bytes``): they are compared, stored and handed back without ever
being turned into text. The interpreter lock is kept during the calls, none of which waits.
"""

import ctypes
import errno
import os
import socket
import struct

import numpy as np
import numpy.typing as npt

from .rtp import MAX_PACKET

BATCH = 64
BUFFER = 4 * 1024 * 1024  # octets that the kernel may queue each way
NAME = 28  # octets of the longest socket address, sockaddr_in6
_SLOT = 2048
_DONTWAIT = 0x40
_MAX_VECTOR = 1024  # messages in one call (UIO_MAXIOV)

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

_libc = ctypes.PyDLL(None, use_errno=True)
_libc.recvmmsg.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_uint, ctypes.c_int, ctypes.c_void_p]
_libc.sendmmsg.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_uint, ctypes.c_int]
_libc.sendto.argtypes = [ctypes.c_int, ctypes.c_char_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_char_p, ctypes.c_uint]


def messages(names: npt.NDArray[np.uint8], name_size: int, vectors: npt.NDArray[np.void]) -> npt.NDArray[np.void]:
    """Return message headers, one for each row of ``names`` (n x 28 octets) and of ``vectors`` (n IOVEC)."""
    headers = np.zeros(len(names), MESSAGE)
    rows = np.arange(len(names), dtype=np.uint64)
    headers["name"] = names.ctypes.data + rows * np.uint64(names.strides[0])
    headers["name_size"] = name_size
    headers["vector"] = vectors.ctypes.data + rows * np.uint64(IOVEC.itemsize)
    headers["vector_size"] = 1
    return headers


class UdpPort:
    """A socket on one address, or on all of them ("::" takes IPv4 too, where the machine has IPv6).

    ``batch``: how many packets are read at once. Raises OSError where the port is taken or the address is not this
    machine's.
    """

    def __init__(self, host: str = "::", port: int = 0, batch: int = BATCH) -> None:
        self.socket = _bound(host, port)
        self.port: int = self.socket.getsockname()[1]
        self.family = self.socket.family
        self.name_size = NAME if self.family == socket.AF_INET6 else 16
        self._descriptor = self.socket.fileno()
        self._batch = batch
        self._buffers = np.zeros(batch * _SLOT, np.uint8)
        self._names = np.zeros(batch * NAME, np.uint8)
        self._view, self._name_view = self._buffers.data, self._names.data
        vectors = self._vectors = np.zeros(batch, IOVEC)
        vectors["base"] = self._buffers.ctypes.data + np.arange(batch, dtype=np.uint64) * np.uint64(_SLOT)
        vectors["size"] = _SLOT
        self._headers = messages(self._names.reshape(batch, NAME), NAME, vectors)
        self._headers_address = self._headers.ctypes.data

    def receive(self) -> list[tuple[bytes, bytes]]:
        """Return what waits, at most a batch, as (data, address); longer ones than a packet may be are cut."""
        count = _libc.recvmmsg(self._descriptor, self._headers_address, self._batch, _DONTWAIT, None)
        if count <= 0:
            return []
        sizes = np.minimum(self._headers["size"][:count], MAX_PACKET + 1).tolist()
        view, names, name_size = self._view, self._name_view, self.name_size
        return [
            (bytes(view[row * _SLOT : row * _SLOT + size]), bytes(names[row * NAME : row * NAME + name_size]))
            for row, size in enumerate(sizes)
        ]

    def send(self, data: bytes, address: bytes) -> bool:
        """Send one packet; False where the kernel did not take it."""
        return _libc.sendto(self._descriptor, data, len(data), _DONTWAIT, address, len(address)) >= 0

    def send_many(self, headers: npt.NDArray[np.void]) -> int:
        """Send contiguous message headers (MESSAGE) and return how many the kernel took; never waits."""
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
                done += 1  # this one cannot be sent (no route to it); the others can
        return sent

    def close(self) -> None:
        """Give the port back."""
        self.socket.close()

    def pack(self, host: str, port: int) -> bytes:
        """Return the socket address of a numeric host for this port's family."""
        if self.family == socket.AF_INET:
            return struct.pack("=H", socket.AF_INET) + struct.pack("!H4s8x", port, socket.inet_aton(host))
        numeric = host if ":" in host else f"::ffff:{host}"
        packed = socket.inet_pton(socket.AF_INET6, numeric)
        return struct.pack("=H", socket.AF_INET6) + struct.pack("!HI16s", port, 0, packed) + bytes(4)


def unpack(address: bytes) -> tuple[str, int]:
    """Return host and port of a socket address; IPv4 in IPv6 as IPv4."""
    (port,) = struct.unpack_from("!H", address, 2)
    if len(address) < NAME:
        return socket.inet_ntop(socket.AF_INET, address[4:8]), port
    if address[8:20] == b"\x00" * 10 + b"\xff\xff":
        return socket.inet_ntop(socket.AF_INET, address[20:24]), port
    return socket.inet_ntop(socket.AF_INET6, address[8:24]), port


def _bound(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        sock = socket.socket(family, socket.SOCK_DGRAM)
    except OSError as error:
        if host == "::" and error.errno == errno.EAFNOSUPPORT:
            return _bound("0.0.0.0", port)  # noqa: S104 -- all addresses was what was asked for
        raise
    try:
        sock.setblocking(False)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, int(host != "::"))
        for option in (socket.SO_RCVBUF, socket.SO_SNDBUF):
            sock.setsockopt(socket.SOL_SOCKET, option, BUFFER)
        sock.bind((host, port))
    except OSError as error:
        sock.close()
        raise OSError(error.errno, f"UDP port {port} on {host}: {os.strerror(error.errno or 0)}") from error
    return sock

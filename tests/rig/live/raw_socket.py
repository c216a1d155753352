"""A websocket over a plain socket: sends faster than a browser would, and what none would."""

import base64
import os
import socket
import struct
import time

CONTINUATION, TEXT, CLOSE, PING = 0x0, 0x1, 0x8, 0x9
CHUNK_FRAMES = 2000
PATIENCE = 20.0


class RawSocket:
    """One websocket to 127.0.0.1 as the member of a session cookie, or as a stranger."""

    def __init__(self, port: int, path: str, session: str = "", forwarded: str = "") -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
        self.socket.sendall(_handshake(port, path, session, forwarded))
        self.status = int(self._read_head().split(b" ")[1])

    def _read_head(self) -> bytes:
        head = b""
        while b"\r\n\r\n" not in head:
            data = self.socket.recv(1)
            if not data:
                break
            head += data
        return head

    def flood(self, frame: bytes, seconds: float) -> int:
        """Send a frame again and again for so long, or until the server ends the connection. Returns how often."""
        sent, end, chunk = 0, time.monotonic() + seconds, frame * CHUNK_FRAMES
        self.socket.settimeout(0.1)
        while time.monotonic() < end:
            try:
                sent += self.socket.send(chunk) // len(frame)
            except TimeoutError:
                continue
            except OSError:
                break
        return sent

    def close_code(self) -> int | None:
        """Read until the close frame, and return its code. None if the connection ends without one."""
        self.socket.settimeout(PATIENCE)
        data = b""
        while True:
            data, found = _close_code(data)
            if found is not None:
                return found
            try:
                more = self.socket.recv(65536)
            except ConnectionError:
                return None
            if not more:
                return None
            data += more

    def __enter__(self) -> "RawSocket":
        return self

    def __exit__(self, *exc: object) -> None:
        self.socket.close()


def frame(opcode: int, payload: bytes, is_last: bool = True) -> bytes:
    """A masked frame of less than 126 octets: a whole message, or a fragment of one (RFC 6455 section 5.2)."""
    return struct.pack("!BB", is_last << 7 | opcode, 0x80 | len(payload)) + bytes(4) + payload


def _handshake(port: int, path: str, session: str, forwarded: str) -> bytes:
    key = base64.b64encode(os.urandom(16)).decode()
    lines = [
        f"GET {path} HTTP/1.1",
        f"Host: localhost:{port}",
        f"Origin: http://localhost:{port}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Version: 13",
        f"Sec-WebSocket-Key: {key}",
        f"Cookie: sessionid={session}",
        *([f"X-Forwarded-For: {forwarded}"] if forwarded else []),
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def _close_code(data: bytes) -> tuple[bytes, int | None]:
    """Take whole frames off `data`. Returns the rest, and the code if one of them was a close frame."""
    while len(data) >= 2:
        length, start = data[1] & 0x7F, 2
        if length == 126:
            length, start = int.from_bytes(data[2:4], "big"), 4
        if len(data) < start + length:
            break
        payload, opcode, data = data[start : start + length], data[0] & 0x0F, data[start + length :]
        if opcode == CLOSE:
            return data, int.from_bytes(payload[:2], "big")
    return data, None

"""The node's end: collects the mix of a Space tick by tick, and hands it to the writer's process without waiting."""

import contextlib
import logging
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from rooms.media.hls.messages import MAX_WORD, WRITES, End, Ended, Piece, encode
from rooms.media.sound.opus import DTX_PACKET, SILENT_PACKET, Pcm
from rooms.media.units import FRAME

log = logging.getLogger(__name__)

PIECE = 10 * FRAME  # samples that are handed over together: a message costs more than the ten frames in it
LEAD = 3 * FRAME  # samples by which a piece ends after a multiple of PIECE: AAC is that much behind its sound
SLACK = 2  # samples by which the room time of a tick may be rounded
STOP_SECONDS = 1.0
_SILENCE = bytes(2 * FRAME)

Send = Callable[[Piece | Ended], None]


class Feed:
    """One Space's mix on its way to the writer, from the next tick on; ``levels`` are those that were measured last."""

    def __init__(self, folder: str, zero: float, send: Send) -> None:
        self._folder, self._zero, self._send = folder, zero, send
        self.levels: dict[str, int] = {}
        self._start = 0
        self._packets: list[bytes] = []
        self._pcm: list[bytes] = []
        self._audible = False

    def write(self, pcm: Pcm | None, packet: bytes | None, position: int) -> None:
        """Add the 20 ms at ``position`` (room time): the mix, None for silence, and its packet where there is one."""
        if self._packets and abs(position - self._start - len(self._packets) * FRAME) > SLACK:
            self.flush()
        if not self._packets:
            self._start = position
        self._packets.append(SILENT_PACKET if packet is None or packet == DTX_PACKET else packet)
        self._pcm.append(_SILENCE if pcm is None else pcm.tobytes())
        self._audible = self._audible or pcm is not None
        if (position - LEAD) // PIECE != (position + FRAME - LEAD) // PIECE:
            self.flush()

    def flush(self) -> None:
        """Hand over what there is."""
        if self._packets:
            pcm = b"".join(self._pcm) if self._audible else b""
            self._send(Piece(self._folder, self._zero, self._start, self._packets, pcm, self.levels))
        self._packets, self._pcm, self._audible = [], [], False

    def end(self, how: End) -> None:
        """Hand over the rest, and why there is no more."""
        self.flush()
        self._send(Ended(self._folder, how))


class Process:
    """The process that writes, started before the node's first tick, and again where it has ended.

    It ends by itself when the node does: its end of the socket is the only one that is left then.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._socket: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._waiting: list[bytes] = []  # ends that found no room: a folder would be left behind, and its sound in it
        self._starts, self._writes = True, False
        self.dropped = 0  # messages that found no room, or no process

    @property
    def pid(self) -> int:
        """The id of the process, 0 before it was started."""
        return self._process.pid if self._process is not None else 0

    @property
    def running(self) -> bool:
        """Whether somebody takes what is sent."""
        return self._process is not None and self._process.poll() is None

    @property
    def writes(self) -> bool:
        """Whether it runs and has said last that it can write."""
        while self._socket is not None:
            try:
                said = self._socket.recv(MAX_WORD)
            except OSError:
                break
            if not said:
                break
            self._writes = said == WRITES
        return self._writes and self.running

    def keep_running(self) -> None:
        """Start it unless it runs, later where that is not possible now, and have it told what it was not yet."""
        try:
            self.start()
        except OSError as error:
            if self._starts:
                log.error("the process that writes files does not start: %s", error)
            self._starts = False
            return
        self._starts = True
        self._send_waiting()

    def start(self) -> None:
        """Start it, unless it runs. Raises OSError, where the system has no more processes or files, for example."""
        if self.running:
            return
        self._close()
        self._writes, self._waiting = False, []
        ours, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.setblocking(False)
        command = [sys.executable, "-m", "rooms.media.hls", str(its.fileno()), str(self._root)]
        home = Path(__file__).parents[3]
        with its:
            try:
                self._process = subprocess.Popen(
                    command, cwd=home, pass_fds=[its.fileno()], stdin=subprocess.DEVNULL, process_group=0
                )
            except OSError:
                ours.close()
                raise
        self._socket = ours

    def send(self, message: Piece | Ended) -> None:
        """Hand a message over, or drop it: the sound of those who are connected does not wait. An end is sent later."""
        data = encode(message)
        if self._send_waiting() and self._send(data):
            return
        if isinstance(message, Ended) and self._socket is not None:
            self._waiting.append(data)
        else:
            self.dropped += 1

    def _send_waiting(self) -> bool:
        while self._waiting and self._send(self._waiting[0]):
            del self._waiting[0]
        return not self._waiting

    def _send(self, data: bytes) -> bool:
        try:
            return self._socket is not None and bool(self._socket.send(data))
        except OSError:
            return False

    def stop(self) -> None:
        """Let it write what it has, and go."""
        self._send_waiting()
        self._close()
        if self._process is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(STOP_SECONDS)
            self._process.kill()
            self._process.wait()

    def _close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None

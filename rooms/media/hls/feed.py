"""The node's end of HLS: collects the mix of a Space and hands it to the writer's process without waiting."""

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

PIECE = 10 * FRAME  # samples per message: a message costs more than the ten frames in it
LEAD = 3 * FRAME  # samples by which a piece ends after a multiple of PIECE: the AAC encoder is this late
SLACK = 2  # samples by which the room time of a tick may be rounded
STOP_SECONDS = 1.0  # for the process to write the rest
_SILENCE = bytes(2 * FRAME)

Send = Callable[[Piece | Ended], None]


class Feed:
    """The mix of one Space on its way to the writer. `levels` are the latest ones, 0 to 100 by participant."""

    def __init__(self, folder: str, zero: float, send: Send) -> None:
        self._folder, self._zero, self._send = folder, zero, send
        self.levels: dict[str, int] = {}
        self._start = 0
        self._packets: list[bytes] = []
        self._pcm: list[bytes] = []
        self._audible = False

    def write(self, pcm: Pcm | None, packet: bytes | None, position: int) -> None:
        """Add the 20 ms at `position`, in samples of room time: the mix, None for silence, and its packet, if any."""
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
        """Hand over the frames that are there."""
        if self._packets:
            pcm = b"".join(self._pcm) if self._audible else b""
            self._send(Piece(self._folder, self._zero, self._start, self._packets, pcm, self.levels))
        self._packets, self._pcm, self._audible = [], [], False

    def end(self, how: End) -> None:
        """Hand over the rest, and why it ends."""
        self.flush()
        self._send(Ended(self._folder, how))


class Process:
    """The process that writes. Started before the node's first tick, and again when it has ended.

    It ends when the node does, because the node alone holds the other end of its socket.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._socket: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._waiting: list[bytes] = []  # ends that found no room; without them folders with sound would stay behind
        self._starts, self._writes = True, False
        self.dropped = 0  # messages that found no room, or no process

    @property
    def pid(self) -> int:
        """The id of the process, 0 before its start."""
        return self._process.pid if self._process is not None else 0

    @property
    def running(self) -> bool:
        """Whether the process runs."""
        return self._process is not None and self._process.poll() is None

    @property
    def writes(self) -> bool:
        """Whether it runs and has last reported that it can write."""
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
        """Start it unless it runs, or try again later, and send the ends that wait."""
        try:
            self.start()
        except OSError as error:
            if self._starts:
                log.error("the HLS writer does not start: %s", error)
            self._starts = False
            return
        self._starts = True
        self._send_waiting()

    def start(self) -> None:
        """Start it unless it runs. Raises OSError if the system has no more processes or files, for example."""
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
        """Hand a message over without waiting, or drop it. An end that finds no room is sent later."""
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
        """Let it write what it has, then end it."""
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

"""Janus for comparison: its process on loopback, configured in a folder of its own, driven by its HTTP API.

The API: https://janus.conf.meetecho.com/docs/rest.html, .../audiobridge.html and .../streaming.html
"""

import asyncio
import itertools
import re
import signal
import socket
import subprocess
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import aiohttp

from bench.rig import machine, network
from bench.rig.peers import Peer
from rooms.media.client.peer import PAYLOAD_TYPE
from spaces_project.machine.processes import spawn, stop

BITRATE = 32_000  # bit/s of the mix, as on a node
START_SECONDS = 20.0
ANSWER_SECONDS = 30.0
EVENTS_AT_ONCE = 100
PEER = {"host": network.ADDRESS, "checked_first": True}  # options of peers that Janus can reach
PRIORITY = (126 << 24) + (65_535 << 8) + 255  # of a host candidate (RFC 8445 section 5.1.2.1)

GENERAL = """general: {{
    configs_folder = "{folder}"
    interface = "{address}"
    session_timeout = 0
    debug_level = {debug}
    {event_loops}
}}
nat: {{
    ice_lite = true
    ice_enforce_list = "{address}"
}}
"""
HTTP = """general: {{
    json = "compact"
    base_path = "/janus"
    http = true
    ip = "127.0.0.1"
    port = {port}
    https = false
}}
"""


def write_config(folder: Path, port: int, event_loops: int = 0) -> None:
    """Write Janus's configuration: HTTP API on `port`. With 0 `event_loops` it has a thread per peer, its default.

    It runs ICE-lite, as a node does: it answers checks and sends none, which is less work.
    """
    loops = f"event_loops = {event_loops}" if event_loops else ""
    text = GENERAL.format(folder=folder, address=network.ADDRESS, debug=3, event_loops=loops)
    (folder / "janus.jcfg").write_text(text, encoding="ascii")
    (folder / "janus.transport.http.jcfg").write_text(HTTP.format(port=port), encoding="ascii")


class JanusError(machine.Failed):
    """Janus refused something. The text is its own."""


class Janus:
    """A running Janus: `async with Janus() as janus: room = await janus.room()`. Raises Missing if not installed."""

    def __init__(self, *, event_loops: int = 0) -> None:
        self._program = machine.need_program("janus")
        self._event_loops = event_loops
        self._folder = tempfile.TemporaryDirectory(prefix="spaces-janus-")
        self._port = machine.free_port()
        self._url = f"http://127.0.0.1:{self._port}/janus"
        self._numbers = itertools.count(1)
        self._waiting: dict[str, asyncio.Future[dict[str, Any]]] = {}
        self._session = 0

    @property
    def pid(self) -> int:
        """The measured process."""
        return self._process.pid

    async def __aenter__(self) -> Self:
        folder = Path(self._folder.name)
        write_config(folder, self._port, self._event_loops)
        self._process = self._spawn(folder)
        self._http = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=64))
        await self._wait_until_up()
        self._session = (await self._ask(self._url, janus="create"))["data"]["id"]
        self._events = asyncio.get_running_loop().create_task(self._follow())
        return self

    def _spawn(self, folder: Path) -> "subprocess.Popen[bytes]":
        self.log = folder / "janus.log"
        command = [str(self._program), "--configs-folder", str(folder), "--disable-colors"]
        with machine.on_core(machine.cores()[0]), self.log.open("wb") as log:
            return spawn(
                machine.realtime_command(command), signal.SIGKILL, stdout=log, stderr=subprocess.STDOUT, cwd=str(folder)
            )

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if end := machine.ended(self._process):
            machine.say(f"Janus is gone: {end}")
        self._events.cancel()
        await asyncio.gather(self._events, return_exceptions=True)
        await self._http.close()
        stop(self._process, (signal.SIGTERM, 2.0))
        self._folder.cleanup()

    async def _wait_until_up(self) -> None:
        async with asyncio.timeout(START_SECONDS):
            while True:
                try:
                    async with self._http.get(f"{self._url}/info"):
                        return
                except aiohttp.ClientConnectionError:
                    if self._process.poll() is not None:
                        raise JanusError(self.log.read_text(errors="replace")[-500:]) from None
                    await asyncio.sleep(0.05)

    async def _ask(self, url: str, **request: Any) -> dict[str, Any]:
        """Send a request and return its immediate answer."""
        request.setdefault("transaction", f"t{next(self._numbers)}")
        async with self._http.post(url, json=request) as response:
            answer: dict[str, Any] = await response.json(content_type=None)
        return _checked(answer)

    async def attach(self, plugin: str) -> str:
        """The address of a new handle to a plugin (audiobridge, streaming)."""
        url = f"{self._url}/{self._session}"
        answer = await self._ask(url, janus="attach", plugin=f"janus.plugin.{plugin}")
        return f"{url}/{answer['data']['id']}"

    async def message(self, handle: str, body: dict[str, Any], sdp: dict[str, Any] | None = None) -> dict[str, Any]:
        """Send a message to a plugin. Returns its answer, or the event that it sends later instead."""
        transaction = f"t{next(self._numbers)}"
        waiting = self._waiting[transaction] = asyncio.get_running_loop().create_future()
        more = {"jsep": sdp} if sdp else {}
        answer = await self._ask(handle, janus="message", transaction=transaction, body=body, **more)
        if answer["janus"] == "ack":
            async with asyncio.timeout(ANSWER_SECONDS):
                answer = _checked(await waiting)
        self._waiting.pop(transaction, None)
        return answer

    async def _follow(self) -> None:
        """Read events by long polling until cancelled."""
        url = f"{self._url}/{self._session}?maxev={EVENTS_AT_ONCE}"
        while True:
            async with self._http.get(url) as response:
                events = await response.json(content_type=None)
            for event in events if isinstance(events, list) else [events]:
                waiting = self._waiting.get(event.get("transaction", ""))
                if waiting is not None and not waiting.done():
                    waiting.set_result(event)

    async def room(self, number: int = 1, expected_loss: int = 0) -> "Bridge":
        """Make an AudioBridge room at 48 kHz. With `expected_loss` in percent its encoders add error correction."""
        wish = {
            "request": "create",
            "room": number,
            "sampling_rate": 48_000,
            "default_bitrate": BITRATE,
            "default_expectedloss": expected_loss,
            "audiolevel_ext": False,
        }
        await self.message(await self.attach("audiobridge"), wish)
        return Bridge(self, number)


class Bridge:
    """A room of the AudioBridge plugin: every participant has an encoder and a thread."""

    def __init__(self, janus: Janus, number: int) -> None:
        self.janus, self.number = janus, number

    async def speak(self, client: Peer) -> None:
        """Connect a speaker."""
        await self._join(client, muted=False)

    async def listen(self, client: Peer) -> None:
        """Connect a listener."""
        await self._join(client, muted=True)

    async def _join(self, client: Peer, *, muted: bool) -> None:
        offer = {"type": "offer", "sdp": as_client(client), "trickle": False}
        wish = {"request": "join", "room": self.number, "muted": muted}
        handle = await self.janus.attach("audiobridge")
        client.accept(_answer(await self.janus.message(handle, wish, offer)))

    async def forward(self) -> "Mountpoint":
        """Make a mountpoint of the Streaming plugin and send it the mix of the room as RTP."""
        port = machine.free_port(socket.SOCK_DGRAM)
        stream = {"audioport": port, "audiopt": PAYLOAD_TYPE, "audiocodec": "opus", "audioiface": "127.0.0.1"}
        mountpoint = {"request": "create", "id": self.number, "type": "rtp", "audio": True, **stream}
        await self.janus.message(await self.janus.attach("streaming"), mountpoint)
        forward = {"request": "rtp_forward", "room": self.number, "host": "127.0.0.1", "port": port}
        more = {"ptype": PAYLOAD_TYPE, "codec": "opus", "always_on": True}
        await self.janus.message(await self.janus.attach("audiobridge"), forward | more)
        return Mountpoint(self.janus, self.number)


class Mountpoint:
    """A mountpoint of the Streaming plugin: one packet for all, encoded once."""

    def __init__(self, janus: Janus, number: int) -> None:
        self.janus, self.number = janus, number

    async def listen(self, client: Peer) -> None:
        """Connect a listener."""
        handle = await self.janus.attach("streaming")
        offered = _answer(await self.janus.message(handle, {"request": "watch", "id": self.number}))
        reply = {"type": "answer", "sdp": answer_to(offered, as_client(client)), "trickle": False}
        await self.janus.message(handle, {"request": "start"}, reply)
        client.accept(offered)  # only now: Janus has to know the answer before the first records


def as_client(client: Peer) -> str:
    """A peer's offer as DTLS client, with its candidate and its SSRC, which Janus needs."""
    offer = client.offer().replace("a=setup:actpass", "a=setup:active")
    found = re.search(r"^o=- (\d+) ", offer, re.MULTILINE)
    lines = [
        f"a=candidate:1 1 udp {PRIORITY} {network.ADDRESS} {client.public_port} typ host",
        "a=end-of-candidates",
        *([f"a=ssrc:{found[1]} cname:bench"] if found else []),
    ]
    return offer + "".join(f"{line}\r\n" for line in lines)


def answer_to(offered: str, own: str) -> str:
    """Turn a peer's own offer into the answer to an offer of one section, as a DTLS client that only receives."""
    found = re.search(r"^a=mid:(\S+)", offered, re.MULTILINE)
    mid = found[1] if found else "0"
    own = own.replace("a=sendrecv", "a=recvonly").replace("a=group:BUNDLE 0", f"a=group:BUNDLE {mid}")
    return own.replace("a=mid:0", f"a=mid:{mid}")


def _checked(answer: dict[str, Any]) -> dict[str, Any]:
    data = answer.get("plugindata", {}).get("data", {})
    if answer.get("janus") == "error" or "error" in data:
        raise JanusError(str(answer.get("error") or data["error"]))
    return answer


def _answer(event: dict[str, Any]) -> str:
    if "jsep" not in event:
        raise JanusError(f"no SDP in {event}")
    return str(event["jsep"]["sdp"])

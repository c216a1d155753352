"""Simulated members in a real Space: real websockets, real DTLS-SRTP, tones as voices.

`manage.py simulate` makes the members. `Simulation` brings them in, counts what each one hears, and lets them leave.
"""

import asyncio
import time
from contextlib import suppress
from dataclasses import dataclass, field
from statistics import quantiles
from typing import Any, Self

import aiohttp
import msgspec

from rooms.media.client.peer import Client, Crowd
from rooms.media.client.tones import tone_packets

JOINS_AT_ONCE = 10
JOIN_SECONDS = 30.0
LEAVE_SECONDS = 5.0
CUT_OFF_SECONDS = 1.0  # without a packet; a node sends some even in silence
LOWEST_TONE, TONE_STEP = 300.0, 90.0


@dataclass
class Guest:
    """One simulated member: their session, and how joining went."""

    handle: str
    cookie: str
    speaks: bool
    client: Client | None = None
    socket: aiohttp.ClientWebSocketResponse | None = None
    participant: str = ""
    join_ms: float | None = None
    failure: str = ""
    inbox: "asyncio.Queue[dict[str, Any]]" = field(default_factory=asyncio.Queue)
    reader: "asyncio.Task[None] | None" = None


class Simulation:
    """Guests in one Space at `url` (http://host:port). Use it as an async context."""

    def __init__(self, url: str, space: str, guests: list[Guest]) -> None:
        self.url, self.space, self.guests = url.rstrip("/"), space, guests
        self.crowd = Crowd()
        self.places = asyncio.Semaphore(JOINS_AT_ONCE)

    async def __aenter__(self) -> Self:
        self.session = aiohttp.ClientSession()
        await self.crowd.__aenter__()
        return self

    async def __aexit__(self, *exception: Any) -> None:
        await asyncio.gather(*(self._leave(guest) for guest in self.guests))
        await self.crowd.__aexit__(None, None, None)
        await self.session.close()

    # Coming
    async def join_all(self) -> None:
        await asyncio.gather(*(self._join(guest) for guest in self.guests))

    async def _join(self, guest: Guest) -> None:
        async with self.places:
            start = time.monotonic()
            try:
                async with asyncio.timeout(JOIN_SECONDS):
                    await self._enter(guest)
                    await self._connect_sound(guest)
                guest.join_ms = (time.monotonic() - start) * 1000
            except (aiohttp.ClientError, TimeoutError, ValueError, OSError) as error:
                guest.failure = f"{type(error).__name__}: {error}"

    async def _enter(self, guest: Guest) -> None:
        address = f"{self.url.replace('http', 'ws', 1)}/ws/spaces/{self.space}/"
        headers = {"Origin": self.url, "Cookie": guest.cookie}
        guest.socket = await self.session.ws_connect(address, headers=headers)
        guest.reader = asyncio.create_task(self._read(guest))
        snapshot = await self._until(guest, "snapshot")
        guest.participant = snapshot["you"]["participant"]

    async def _connect_sound(self, guest: Guest) -> None:
        """Offer and answer, connectivity checks, handshake, and the first packet of sound."""
        guest.client = client = self.crowd.add(Client())
        await self._send(guest, type="offer", sdp=client.offer(), id=1)
        client.accept((await self._until(guest, "answer"))["sdp"])
        await client.connected(JOIN_SECONDS)
        await client.sounding(JOIN_SECONDS)

    async def open_microphones(self) -> None:
        """Let each admitted guest accept the notice, open the microphone and send a tone of their own."""
        for number, guest in enumerate(guest for guest in self.guests if guest.speaks and guest.client):
            await self._send(guest, type="accept_notice")
            await self._send(guest, type="microphone", open=True)
            assert guest.client is not None
            guest.client.speak(tone_packets(LOWEST_TONE + number * TONE_STEP, 1.0))

    async def _leave(self, guest: Guest) -> None:
        """Leave, and wait until the server closes: then the rows are right when the simulation is over."""
        if guest.socket is None or guest.reader is None:
            return
        if not guest.socket.closed:
            with suppress(TimeoutError, OSError, aiohttp.ClientError):  # lost already; the others have to leave, too
                await self._send(guest, type="leave")
                await asyncio.wait_for(guest.reader, LEAVE_SECONDS)
            await guest.socket.close()
        guest.reader.cancel()

    # Frames
    async def _send(self, guest: Guest, **frame: Any) -> None:
        assert guest.socket is not None
        await guest.socket.send_str(msgspec.json.encode(frame).decode())

    async def _read(self, guest: Guest) -> None:
        """Put snapshots, answers and errors into the inbox. Drop all other frames."""
        assert guest.socket is not None
        async for message in guest.socket:
            if message.type == aiohttp.WSMsgType.TEXT:
                frame = msgspec.json.decode(message.data)
                if frame["type"] in ("snapshot", "answer", "error"):
                    guest.inbox.put_nowait(frame)
        guest.inbox.put_nowait({"type": "closed", "code": guest.socket.close_code})

    async def _until(self, guest: Guest, kind: str) -> dict[str, Any]:
        while True:
            frame = await guest.inbox.get()
            if frame["type"] == kind:
                return frame
            if frame["type"] in ("error", "closed"):
                raise ValueError(f"{frame}")

    # Figures
    def figures(self, seconds: float) -> dict[str, Any]:
        """What the command prints. Joins are in ms, from opening the websocket to the first packet of sound.

        Expected packets follow from sequence numbers. A guest who gets no more packets counts as `cut_off`.
        """
        joined = [guest for guest in self.guests if guest.join_ms is not None]
        heard = [guest.client.received for guest in joined if guest.client and not guest.speaks]
        times = sorted(guest.join_ms for guest in joined if guest.join_ms is not None)
        now = time.monotonic()
        expected, lost = sum(h.expected for h in heard), sum(h.lost for h in heard)
        return {
            "joins": len(joined),
            "failed_joins": len(self.guests) - len(joined),
            "join_p50_ms": round(_percentile(times, 50), 1),
            "join_p95_ms": round(_percentile(times, 95), 1),
            "seconds": round(seconds, 1),
            "packets_expected_per_listener": round(expected / len(heard), 1) if heard else 0,
            "packets_received_per_listener": round(sum(h.packets for h in heard) / len(heard), 1) if heard else 0,
            "loss": round(lost / expected, 6) if expected else 1.0,
            "cut_off": sum(h.last_at is None or now - h.last_at > CUT_OFF_SECONDS for h in heard),
            "failures": sorted({guest.failure for guest in self.guests if guest.failure}),
        }


def _percentile(values: list[float], percent: int) -> float:
    """A percentile of sorted values, 0 for none."""
    if len(values) < 2:
        return values[0] if values else 0.0
    return quantiles(values, n=100, method="inclusive")[percent - 1]

"""What members get while others flood the web process: `python -m bench.flood`. One JSON line for each case.

A host mutes a speaker and lets them speak again, once a second, and another member loads pages. Meanwhile one member,
eight members or strangers flood for 20 s: frames and connections of websockets, requests to speak, page requests,
password resets to a mail server that says nothing, and pictures of 12 megapixels. Flooders have addresses of their own.
The site is one machine with all of its processes. The mail server accepts connections and never answers.
"""

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import numpy as np
from PIL import Image

from bench.rig import machine
from bench.rig.site import CHECKOUT, Site
from bench.rig.web_flood import Wish

SECONDS = 20.0
MANY = 8
PAGES_MS = MUTES_MS = 1000.0  # to reach, at the 95th percentile
GROWTH_MIB = 100.0
PAGE_EVERY, MUTE_EVERY = 0.2, 1.0
KINDS = ("frames", "connects", "asks", "requests", "resets", "pictures")
BY_STRANGERS = ("frames", "connects", "requests", "resets")
PATIENCE = 60.0


class FloodedSite(Site):
    """A site that believes the addresses of its proxy, with a mail server that says nothing."""

    mail_port = 0

    @property
    def environment(self) -> dict[str, str]:
        mail = {"EMAIL_HOST": "127.0.0.1", "EMAIL_PORT": str(self.mail_port), "EMAIL_USE_TLS": "0"}
        return super().environment | {"TRUSTED_PROXIES": "127.0.0.1"} | mail


@dataclass
class Stage:
    """The host's websocket and the speaker whom they mute."""

    url: str
    space: str
    session: aiohttp.ClientSession
    speaker: str = ""
    mutes: list[float] = field(default_factory=list)
    lost: int = 0
    _number: int = 0

    async def open(self, host: str, speaker: str) -> None:
        """Let both in, and the speaker onto the stage."""
        self.host, self.voice = await self._enter(host, "203.0.113.1"), await self._enter(speaker, "203.0.113.2")
        await self._ask(self.voice, type="accept_notice")
        await self._ask(self.voice, type="ask", text="")
        snapshot = await self._ask(self.host, type="sync")
        request = snapshot["requests"][-1]
        self.speaker = request["person"]["participant"]
        await self._ask(self.host, type="admit", request=request["request"])

    async def _enter(self, cookie: str, address: str) -> aiohttp.ClientWebSocketResponse:
        headers = {"Cookie": cookie, "Origin": self.url, "X-Forwarded-For": address}
        socket = await self.session.ws_connect(f"{self.url}/ws/spaces/{self.space}/", headers=headers)
        await self._until(socket, lambda frame: frame["type"] == "snapshot")
        return socket

    async def _ask(self, socket: aiohttp.ClientWebSocketResponse, **command: Any) -> dict[str, Any]:
        """Send a command and return its answer. That to `sync` is a snapshot, which has no number."""
        self._number += 1
        number = self._number
        await socket.send_json(command | {"id": number})
        if command["type"] == "sync":
            return await self._until(socket, lambda frame: frame["type"] == "snapshot")
        return await self._until(socket, lambda frame: frame.get("re") == number or frame["type"] == "error")

    async def _until(self, socket: aiohttp.ClientWebSocketResponse, wanted: Any) -> dict[str, Any]:
        async with asyncio.timeout(PATIENCE):
            while True:
                frame = await socket.receive_json()
                if wanted(frame):
                    return dict(frame)

    async def mute_again_and_again(self) -> None:
        while True:
            start = time.monotonic()
            answer = await self._ask(self.host, type="mute", participant=self.speaker)
            self.mutes.append(time.monotonic() - start)
            if answer["type"] == "error":
                raise machine.Failed(f"the host could not mute: {answer}")
            await self._ask(self.host, type="unmute", participant=self.speaker)
            await self._drain()
            await asyncio.sleep(max(0.0, MUTE_EVERY - (time.monotonic() - start)))

    async def _drain(self) -> None:
        """Read what the speaker's page was sent, so that its connection does not fill up."""
        while True:
            try:
                await asyncio.wait_for(self.voice.receive(), 0.01)
            except TimeoutError:
                return

    async def on_stage(self) -> int:
        snapshot = await self._ask(self.host, type="sync")
        return sum(not person["away"] for person in snapshot["stage"])


async def load_pages(url: str, session: aiohttp.ClientSession, cookie: str, seconds: list[float]) -> None:
    """Load the home page again and again; a failed one counts as the longest wait."""
    headers = {"Cookie": cookie, "X-Forwarded-For": "203.0.113.3"}
    while True:
        start = time.monotonic()
        try:
            async with session.get(url, headers=headers) as answer:
                await answer.read()
                seconds.append(time.monotonic() - start if answer.status == 200 else PATIENCE)
        except (aiohttp.ClientError, TimeoutError):
            seconds.append(PATIENCE)
        await asyncio.sleep(PAGE_EVERY)


async def flood(wish: Wish) -> dict[str, int]:
    """Let another process flood. Returns what it saw."""
    pipe = asyncio.subprocess.PIPE
    with machine.on_core(machine.cores()[1]):
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bench.rig.web_flood", cwd=CHECKOUT, stdin=pipe, stdout=pipe
        )
    said, _ = await process.communicate(msgspec.json.encode(wish) + b"\n")
    if process.returncode:
        raise machine.Failed("the flood has failed")
    return dict(json.loads(said))


def resident_mib(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    return pages * 4096 / 2**20


def p95(seconds: Sequence[float]) -> float:
    """The 95th percentile in milliseconds."""
    return round(float(np.percentile(seconds, 95)) * 1000, 1) if seconds else PATIENCE * 1000


async def measure(site: FloodedSite, stage: Stage, cookie: str, wish: Wish, case: str) -> dict[str, Any]:
    """One case: the figures of the issue, and what the flooders saw."""
    pages: list[float] = []
    stage.mutes.clear()
    before, on_stage = resident_mib(site.web_pid), await stage.on_stage()
    probes = [
        asyncio.create_task(stage.mute_again_and_again()),
        asyncio.create_task(load_pages(site.url, stage.session, cookie, pages)),
    ]
    seen = await flood(wish)
    for probe in probes:
        probe.cancel()
    failed = [one for one in await asyncio.gather(*probes, return_exceptions=True) if isinstance(one, Exception)]
    growth = resident_mib(site.web_pid) - before
    lost = 2 if failed else on_stage - await stage.on_stage()
    return {
        "bench": "flood",
        "case": case,
        "pages_p95_ms": p95(pages),
        "mute_p95_ms": p95(stage.mutes),
        "rss_growth_mib": round(growth, 1),
        "stages_lost": lost,
        "seen": seen,
    }


def reached(found: dict[str, Any]) -> bool:
    quick = found["pages_p95_ms"] <= PAGES_MS and found["mute_p95_ms"] <= MUTES_MS
    return quick and found["rss_growth_mib"] <= GROWTH_MIB and not found["stages_lost"]


def cases(kinds: Sequence[str]) -> list[tuple[str, str, int]]:
    """Name, kind and number of members of each case; 0 are two strangers."""
    by = {"one": 1, "eight": MANY}
    found = [(f"{kind} by {name}", kind, count) for kind in kinds for name, count in by.items()]
    return found + [(f"{kind} by strangers", kind, 0) for kind in kinds if kind in BY_STRANGERS]


async def run(seconds: float, kinds: Sequence[str]) -> bool:
    silent = await asyncio.start_server(lambda reader, writer: asyncio.sleep(3600), "127.0.0.1", 0)
    FloodedSite.mail_port = silent.sockets[0].getsockname()[1]
    async with FloodedSite() as site, aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=PATIENCE)) as session:
        made = site.members(2 + MANY)
        picture = site.var / "large.png"
        Image.effect_noise((1024, 768), 80).resize((4096, 3072)).convert("RGB").save(picture, "JPEG", quality=60)
        stage = Stage(site.url, made["space"], session)
        await stage.open(made["host"], made["members"][0])
        every = True
        for case, kind, count in cases(kinds):
            who = made["members"][2 : 2 + count] if count else ["", ""]
            wish = Wish(kind, f"http://localhost:{site.web}", made["space"], who, seconds, str(picture))
            found = await measure(site, stage, made["members"][1], wish, case)
            print(json.dumps(found), flush=True)
            every = every and reached(found)
    return every


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=SECONDS, help="of each flood")
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=KINDS)
    chosen = parser.parse_args()
    return 0 if asyncio.run(run(chosen.seconds, chosen.kinds)) else 1


if __name__ == "__main__":
    sys.exit(main())

"""What is kept of a Space: the voices at their right times in the mixed file, and nothing of the muted."""

import asyncio
import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import aiohttp
import numpy as np
import pytest

from rooms.media.client.peer import Client, Crowd
from rooms.media.client.tones import encode, tone
from rooms.media.sound.opus import Pcm
from rooms.media.units import SAMPLE_RATE
from tests.rig.browser.person import Person, until
from tests.rig.browser.sounds import decoded
from tests.rig.machine import Machine
from tests.rig.sound.measures import strength

pytestmark = [pytest.mark.browser, pytest.mark.proof]
HANA, SOL = 500.0, 1_250.0
TOLERANCE_MS = 100
STEP = SAMPLE_RATE // 100  # 10 ms


class Voice:
    """A member in a Space without a browser, so that the time of every sound is known."""

    def __init__(self, http: aiohttp.ClientSession, crowd: Crowd, base: str, space: str, cookie: str) -> None:
        self.http, self.crowd, self.base, self.space, self.cookie = http, crowd, base, space, cookie
        self.in_effect = 0

    async def enter(self) -> None:
        headers = {"Origin": self.base, "Cookie": self.cookie}
        self.socket = await self.http.ws_connect(f"{self.base}/ws/spaces/{self.space}/", headers=headers)
        await self.until("snapshot")
        self.client = self.crowd.add(Client())
        await self.say(type="offer", sdp=self.client.offer())
        self.client.accept((await self.until("answer"))["sdp"])
        await self.client.connected(60)

    async def say(self, **frame: Any) -> None:
        await self.socket.send_str(json.dumps(frame))

    async def until(self, kind: str) -> dict[str, Any]:
        async with asyncio.timeout(60):
            while True:
                frame = await self.socket.receive_json()
                if frame["type"] == "in_effect":
                    self.in_effect = max(self.in_effect, frame["standing"])
                if frame["type"] == kind:
                    return dict(frame)

    async def open_microphone(self) -> None:
        """Open, and wait until the media node has it in effect."""
        await self.say(type="accept_notice")
        await self.turn(wide=True)

    async def turn(self, *, wide: bool) -> None:
        """Open or close the microphone, and wait until the media node has it in effect."""
        await self.say(type="microphone", open=wide)
        voice = await self.until("voice")
        while (voice["person"]["mute"] == "open") is not wide:  # of another person, or from before
            voice = await self.until("voice")
        while self.in_effect < voice["standing"]:  # the node may have been faster than the event
            await self.until("in_effect")

    async def sing(self, frequency: float, seconds: float) -> float:
        """Send a tone once. Returns the Unix time at which it began."""
        packets = encode(tone(frequency, seconds))
        began = time.time()
        self.client.speak(packets)
        await asyncio.sleep(seconds)
        self.client.speak(())
        return began


async def two_voices(base: str, space: str, hana: str, sol: str) -> dict[float, list[float]]:
    """hana and sol each sing twice, in turn; frequency -> unix times of the beginnings."""
    began: dict[float, list[float]] = {HANA: [], SOL: []}
    async with aiohttp.ClientSession() as http, Crowd() as crowd:
        host, speaker = (Voice(http, crowd, base, space, cookie) for cookie in (hana, sol))
        await host.enter()
        await host.open_microphone()
        await speaker.enter()
        await speaker.say(type="ask")
        await host.say(type="admit", request=(await host.until("asked"))["request"]["request"])
        await speaker.until("voice")
        await speaker.open_microphone()
        for singer, frequency in ((host, HANA), (speaker, SOL), (host, HANA), (speaker, SOL)):
            began[frequency].append(await singer.sing(frequency, 1.2))
            await asyncio.sleep(0.5)
        await speaker.turn(wide=False)
        await speaker.sing(SOL, 1.0)  # a browser that goes on sending although its microphone is closed
        await host.say(type="end")
        await host.until("ended")
    return began


def cookie_of(person: Person) -> str:
    return "; ".join(f"{cookie['name']}={cookie['value']}" for cookie in person.context.cookies())


def beginnings(sound: Pcm, frequency: float) -> list[float]:
    """The seconds at which this tone begins in the sound."""
    windows = [strength(sound[at : at + 2 * STEP], frequency) for at in range(0, len(sound) - 2 * STEP, STEP)]
    loud = np.array(windows) > 0.35 * max(windows)
    return [float(at) / 100 for at in np.flatnonzero(loud) if at >= 20 and not loud[at - 20 : at].any()]


def test_the_mixed_file_holds_each_voice_at_its_time(site: Machine, join_as: Callable[..., Person]) -> None:
    hana, sol = join_as("hana"), join_as("sol")
    path = hana.open_space("For the archive")
    space = path.strip("/").rsplit("/", 1)[1]
    base = f"http://localhost:{site.web}"
    voices = two_voices(base, space, cookie_of(hana), cookie_of(sol))
    with ThreadPoolExecutor(1) as beside:  # the thread of the browsers has an event loop of its own
        began = beside.submit(asyncio.run, voices).result()
    started = float(
        str(site.rows(f"SELECT extract(epoch FROM started_at) FROM rooms_space WHERE id = '{space}'")[0][0])
    )
    took = until(lambda: mixed(site, space) != "", "the recording is mixed", 120)
    print(f"mixed {took:.1f} s after the end")
    sound = decoded(str(site.var / "recordings" / mixed(site, space)))
    for frequency, times in began.items():
        found = beginnings(sound, frequency)
        errors = [round((at - (unix - float(str(started)))) * 1000) for at, unix in zip(found, times, strict=True)]
        print(f"{frequency:.0f} Hz begins {errors} ms after it was sung")
        assert max(map(abs, errors)) <= TOLERANCE_MS


def mixed(site: Machine, space: str) -> str:
    rows = site.rows(f"SELECT mix_key FROM recordings_recording WHERE space_id = '{space}' AND state = 'mixed'")
    return str(rows[0][0]) if rows else ""

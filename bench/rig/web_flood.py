"""A flood of requests and frames to a web process, from a process of its own.

`python -m bench.rig.web_flood` reads one line of JSON (Wish) and prints one with what it did. Each flooder has an
address of its own in X-Forwarded-For, as behind a proxy.
"""

import asyncio
import itertools
import sys
import threading
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

import aiohttp
import msgspec

from tests.rig.live.raw_socket import TEXT, RawSocket, frame

TOKEN = "x" * 32  # of CSRF: cookie and form have to say the same
AT_ONCE = 25  # requests of one flooder
PATIENCE = 60.0


class Wish(msgspec.Struct):
    """What to do: a kind of KINDS, for so many seconds, with these session cookies; "" is a stranger."""

    kind: str
    url: str
    space: str
    sessions: list[str]
    seconds: float
    picture: str = ""  # path of a picture


class Flooder:
    """One member or stranger who floods. `seen` counts statuses of answers, or frames."""

    def __init__(self, wish: Wish, number: int) -> None:
        self.wish, self.number = wish, number
        self.session, self.address = wish.sessions[number], f"198.51.100.{number + 1}"
        self.end = time.monotonic() + wish.seconds
        self.seen: Counter[str] = Counter()
        self.headers = {"X-Forwarded-For": self.address, "Cookie": f"{self.session}; csrftoken={TOKEN}"}

    @property
    def port(self) -> int:
        return urlsplit(self.wish.url).port or 80

    async def repeat(self, act: Callable[["Flooder", aiohttp.ClientSession], Awaitable[None]]) -> None:
        """Do it again and again, `AT_ONCE` at a time."""
        timeout = aiohttp.ClientTimeout(total=PATIENCE)
        async with aiohttp.ClientSession(timeout=timeout, connector=aiohttp.TCPConnector(limit=0)) as session:
            await asyncio.gather(*(self._again(act, session) for _ in range(AT_ONCE)))

    async def _again(
        self, act: Callable[["Flooder", aiohttp.ClientSession], Awaitable[None]], session: aiohttp.ClientSession
    ) -> None:
        while time.monotonic() < self.end:
            try:
                await act(self, session)
            except (aiohttp.ClientError, TimeoutError, OSError) as error:
                self.seen[type(error).__name__] += 1

    async def request(self, session: aiohttp.ClientSession, method: str, path: str, **form: object) -> None:
        data = {"csrfmiddlewaretoken": TOKEN} | form if method == "POST" else None
        url = f"{self.wish.url}{path}"
        async with session.request(method, url, headers=self.headers, data=data, allow_redirects=False) as answer:
            await answer.read()
            self.seen[str(answer.status)] += 1

    def socket(self) -> RawSocket:
        path = f"/ws/spaces/{self.wish.space}/" if self.session else "/ws/fleet/"
        return RawSocket(self.port, path, self.session.partition("=")[2], self.address)

    def send_frames(self, text: list[bytes], pause: float = 0.0) -> None:
        """Open sockets and send these frames in turns, until the time is over."""
        sent = b"".join(frame(TEXT, one) for one in text)
        while time.monotonic() < self.end:
            try:
                with self.socket() as socket:
                    self.seen[str(socket.status)] += 1
                    if socket.status == 101:
                        self.seen["frames"] += socket.flood(sent, 1.0) * len(text)
            except OSError as error:
                self.seen[type(error).__name__] += 1
            time.sleep(pause)

    def connect(self) -> None:
        """Open sockets and leave them, until the time is over."""
        while time.monotonic() < self.end:
            try:
                with self.socket() as socket:
                    self.seen[str(socket.status)] += 1
            except OSError as error:
                self.seen[type(error).__name__] += 1


async def _get(flooder: Flooder, session: aiohttp.ClientSession) -> None:
    await flooder.request(session, "GET", "/search/?q=a" if flooder.session else "/accounts/login/")


async def _reset(flooder: Flooder, session: aiohttp.ClientSession) -> None:
    email = f"someone{next(_numbers)}@example.org"
    await flooder.request(session, "POST", "/accounts/password/reset/", email=email)


async def _picture(flooder: Flooder, session: aiohttp.ClientSession) -> None:
    with open(flooder.wish.picture, "rb") as picture:  # noqa: ASYNC230 a local file
        await flooder.request(session, "POST", "/me/profile/", display_name="x", avatar=picture)


_numbers = itertools.count()
PING = [b'{"type":"ping"}']
ASK = [b'{"type":"ask","text":"me"}', b'{"type":"withdraw"}']
#: What each flooder does, in a thread of its own.
KINDS: dict[str, Callable[[Flooder], None]] = {
    "frames": lambda flooder: flooder.send_frames(PING),
    "connects": Flooder.connect,
    "asks": lambda flooder: flooder.send_frames(ASK, 0.5),
    "requests": lambda flooder: asyncio.run(flooder.repeat(_get)),
    "resets": lambda flooder: asyncio.run(flooder.repeat(_reset)),
    "pictures": lambda flooder: asyncio.run(flooder.repeat(_picture)),
}


def main() -> None:
    wish = msgspec.json.decode(sys.stdin.readline(), type=Wish)
    flooders = [Flooder(wish, number) for number in range(len(wish.sessions))]
    threads = [threading.Thread(target=KINDS[wish.kind], args=(one,)) for one in flooders]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seen = sum((one.seen for one in flooders), Counter[str]())
    print(msgspec.json.encode(dict(seen)).decode(), flush=True)


if __name__ == "__main__":
    main()

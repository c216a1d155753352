"""Floods of frames against a real web process: the sender is closed, and all others are served meanwhile."""

import os
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.test import Client

from accounts.models import User
from rooms.models import Space
from rooms.protocol import Close
from spaces_project.machine.processes import spawn, stop, with_patience
from spaces_project.web.connects import OF_SESSION
from tests.rig.live.raw_socket import CONTINUATION, PING, TEXT, RawSocket, frame
from tests.rig.machine import CHECKOUT, START_SECONDS, free_port

FLOOD_SECONDS = 1.0
LONGEST_PAGE_SECONDS = 5.0  # generous: without the limits pages stood still for up to 40 s
FRAMES = {  # what is sent once, and what is sent again and again
    "text": (b"", frame(TEXT, b'{"type":"ping"}')),
    "ping": (b"", frame(PING, b"flood")),
    "fragment": (frame(TEXT, b"", is_last=False), frame(CONTINUATION, b"", is_last=False)),  # a message without end
}

pytestmark = pytest.mark.alone


@pytest.fixture
def web(transactional_db: None, tmp_path: Path) -> Iterator[int]:
    """Port of a web process on the database of the tests."""
    port = free_port()
    database = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{settings.DATABASES['default']['NAME']}")
    environment = os.environ | {"DATABASE_URL": database.geturl(), "VAR_DIR": str(tmp_path)}
    process = spawn([sys.executable, "manage.py", "runweb", "--port", str(port)], cwd=CHECKOUT, env=environment)
    try:
        assert with_patience(lambda: page_seconds(port) is not None, START_SECONDS)
        yield port
    finally:
        stop(process, (signal.SIGTERM, 5.0))


@pytest.fixture
def tea(hana: User, sol: User) -> Space:
    """A live Space of hana's that sol may enter."""
    sol.follow(hana)
    return Space.open(hana, title="Tea at four", audience=Space.Audience.FOLLOWERS)


def page_seconds(port: int) -> float | None:
    """How long an answer takes that asks database and Redis. None if there is none."""
    start = time.monotonic()
    try:
        get(port, "/health")
    except OSError:
        return None
    return time.monotonic() - start


def get(port: int, path: str, session: str = "") -> int:
    """The status of a page. Raises OSError."""
    page = HTTPConnection("127.0.0.1", port, timeout=60)
    page.request("GET", path, headers={"Host": "localhost", "Cookie": f"sessionid={session}"})
    status = page.getresponse().status
    page.close()
    return status


def session_of(user: User) -> str:
    client = Client()
    client.force_login(user)
    return client.cookies["sessionid"].value


class Pages:
    """Loads a page again and again while the block runs, and keeps how long each took."""

    def __init__(self, port: int) -> None:
        self.port, self._over = port, threading.Event()
        self.seconds: list[float] = []
        self._thread = threading.Thread(target=self._load)

    def __enter__(self) -> "Pages":
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._over.set()
        self._thread.join()

    def _load(self) -> None:
        while True:  # at least once: the server may end a flood in less than the pause
            self.seconds.append(page_seconds(self.port) or 60.0)
            if self._over.wait(0.1):
                return


@pytest.mark.parametrize("kind", FRAMES)
@pytest.mark.parametrize("path", ["/ws/fleet/", "/ws/spaces/{tea}/"])
def test_a_flood_of_frames_is_closed_and_stops_no_pages(web: int, tea: Space, sol: User, path: str, kind: str) -> None:
    with RawSocket(web, path.format(tea=tea.pk), session_of(sol)) as flooder, Pages(web) as pages:
        flooder.socket.sendall(FRAMES[kind][0])
        sent = flooder.flood(FRAMES[kind][1], FLOOD_SECONDS)
        code = flooder.close_code()
    print(f"{sent} frames were sent, code {code}, the slowest page took {max(pages.seconds):.2f} s")
    assert max(pages.seconds) < LONGEST_PAGE_SECONDS
    assert code == Close.TOO_MANY_FRAMES


def test_a_stranger_floods_in_vain(web: int) -> None:
    with Pages(web) as pages:
        end, codes = time.monotonic() + FLOOD_SECONDS, []
        while time.monotonic() < end:
            with RawSocket(web, "/ws/fleet/") as flooder:
                flooder.flood(FRAMES["text"][1], 0.2)
                codes.append(flooder.close_code())
    print(f"{len(codes)} connections, codes {set(codes)}, the slowest page took {max(pages.seconds):.2f} s")
    assert max(pages.seconds) < LONGEST_PAGE_SECONDS


def test_a_member_who_connects_in_a_loop_is_refused(web: int, tea: Space, sol: User) -> None:
    session, statuses = session_of(sol), []
    for _ in range(OF_SESSION.burst + 20):
        with RawSocket(web, f"/ws/spaces/{tea.pk}/", session) as opened:
            statuses.append(opened.status)
    assert statuses[: OF_SESSION.burst // 2] == [101] * (OF_SESSION.burst // 2)
    assert 403 in statuses


def test_a_hundred_requests_of_one_member_at_once_leave_room_for_others(web: int, sol: User, lior: User) -> None:
    flooder, other = session_of(sol), session_of(lior)
    seconds: list[float] = []
    statuses: list[int] = []
    get(web, "/fleet/", other)  # the first page is slow
    with ThreadPoolExecutor(100) as pool:
        flood = [pool.submit(get, web, "/fleet/", flooder) for _ in range(100)]
        while not all(one.done() for one in flood) or not seconds:
            start = time.monotonic()
            statuses.append(get(web, "/fleet/", other))
            seconds.append(time.monotonic() - start)
    found = Counter(one.result() for one in flood)
    print(f"{len(seconds)} pages of the other, the slowest took {max(seconds):.2f} s; of the flooder: {dict(found)}")
    assert set(statuses) == {200}
    assert max(seconds) < LONGEST_PAGE_SECONDS
    assert set(found) <= {200, 429, 503}


def test_an_unknown_address_is_refused(web: int, sol: User) -> None:
    with RawSocket(web, "/ws/nope/", session_of(sol)) as refused:
        assert refused.status == 403

"""A whole site whose mail server says nothing, and one whose mail server works."""

import re
import statistics
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from http.client import HTTPConnection, HTTPResponse
from http.cookiejar import CookieJar

import pytest

from spaces_project.machine.processes import with_patience
from tests.rig.machine import Machine, free_port
from tests.rig.services.smtp import connections, mail_server, silent_server

pytestmark = [pytest.mark.proof, pytest.mark.alone]
RESETS = 20
ADDRESSES = """INSERT INTO account_emailaddress (user_id, email, verified, "primary")
SELECT id, handle || '@example.org', true, true FROM accounts_user WHERE may_host OR follower_count > 0
RETURNING email"""


def site(port: int) -> Machine:
    return Machine(EMAIL_HOST="127.0.0.1", EMAIL_PORT=str(port), EMAIL_USE_TLS="0", DATABASE_POOL="12")


@pytest.fixture
def of_silence() -> Iterator[tuple[Machine, object]]:
    with silent_server() as server:
        machine = site(server.getsockname()[1])
        try:
            machine.start()
            yield machine, server
        finally:
            machine.remove()


class FromAddress(urllib.request.HTTPHandler):
    """Opens pages from a loopback address of its own. One address alone gets few resets a minute."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.source = (f"127.0.1.{number + 1}", 0)

    def http_open(self, request: urllib.request.Request) -> HTTPResponse:
        return self.do_open(partial(HTTPConnection, source_address=self.source), request)


def reset(machine: Machine, email: str, number: int = 0) -> float:
    """Ask for a reset as a browser does. Returns the seconds that the answer to the form took."""
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()), FromAddress(number))
    address = f"{machine.address}/accounts/password/reset/"
    page = browser.open(address, timeout=60).read().decode()
    found = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page)
    assert found is not None
    form = urllib.parse.urlencode({"email": email, "csrfmiddlewaretoken": found[1]}).encode()
    before = time.monotonic()
    with browser.open(urllib.request.Request(address, form, {"Referer": address}), timeout=60) as answer:
        assert "/done/" in answer.url
    return time.monotonic() - before


def load(machine: Machine) -> float:
    before = time.monotonic()
    with urllib.request.urlopen(f"{machine.address}/accounts/login/", timeout=60) as answer:
        answer.read()
    return time.monotonic() - before


def test_twenty_resets_to_a_silent_server_cost_others_nothing(of_silence: tuple[Machine, object]) -> None:
    machine, server = of_silence
    addresses = sorted(email for (email,) in machine.rows(ADDRESSES))
    with ThreadPoolExecutor(RESETS) as threads:
        asked = [threads.submit(reset, machine, addresses[number % len(addresses)], number) for number in range(RESETS)]
        pages = [load(machine) for _ in range(40)]
        took = [one.result() for one in asked]
    p95 = statistics.quantiles(pages, n=20)[-1]
    print(f"{RESETS} resets: slowest {max(took):.2f} s; pages meanwhile: p95 {p95:.2f} s")
    assert max(took) < 5
    assert p95 <= 1
    assert with_patience(lambda: connections(server) > 0, 30), "no worker asked the mail server"  # type: ignore[arg-type]
    assert "password/reset/key" not in machine.said()


def test_a_message_arrives_with_a_link_that_works() -> None:
    port = free_port()
    machine = site(port)
    try:
        with mail_server(port) as mailbox:
            machine.start()
            (email, *_) = sorted(email for (email,) in machine.rows(ADDRESSES))
            reset(machine, email)
            assert with_patience(lambda: bool(mailbox.letters), 30), machine.said()
        link = re.search(r"http\S+/accounts/password/reset/key/\S+", mailbox.letters[0].get_content())
        assert link is not None
        assert "/accounts/password/reset/key/" not in machine.said()
        with urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar())).open(link[0]) as answer:
            assert 'name="password1"' in answer.read().decode()
    finally:
        machine.remove()

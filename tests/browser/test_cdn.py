"""The sound as files of another origin, in a real Chromium: nginx on the documented lines, under another name."""

import re
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Playwright

from bench.rig.site import nginx_for_files
from rooms.media.hls.signature import SECONDS
from spaces_project.processes import spawn, stop
from tests.browser.conftest import HANA
from tests.browser.person import Person
from tests.browser.test_hls import FETCHED, SAVER, SOURCE
from tests.machine import Machine, free_port

pytestmark = [pytest.mark.browser, pytest.mark.proof]
SECRET = "a1b2c3d4e5"


@pytest.fixture(scope="module")
def other() -> str:
    """The origin of the files."""
    return f"http://127.0.0.1:{free_port()}"


@pytest.fixture(scope="module")
def spread_site(other: str) -> Iterator[Machine]:
    """An installation of its own, the files of which come from the other origin."""
    machine = Machine(HLS_URL=f"{other}/hls/", HLS_SECRET=SECRET)
    try:
        machine.start()
        text = nginx_for_files(machine.var, int(other.rpartition(":")[2]), SECRET, f"http://localhost:{machine.web}")
        (machine.var / "nginx.conf").write_text(text)
        program = shutil.which("nginx", path="/usr/sbin:/usr/bin")
        assert program, "nginx is missing: apt-get install nginx-light"
        nginx = spawn([program, "-p", str(machine.var), "-c", str(machine.var / "nginx.conf")])
        yield machine
        stop(nginx, (signal.SIGTERM, 5.0))
    finally:
        machine.remove()


@pytest.fixture
def hana_and_lior(
    spread_site: Machine, playwright: Playwright, chromium_path: str, tone_file: Callable[[int], Path]
) -> Iterator[tuple[Person, Person]]:
    """hana, and lior, who saves data."""
    hana = Person(playwright, chromium_path, spread_site, "hana", tone_file(HANA))
    lior = Person(playwright, chromium_path, spread_site, "lior", None)
    hana.new_page()
    lior.new_page()
    lior.page.add_init_script(SAVER)
    yield hana, lior
    hana.close()
    lior.close()


def test_files_of_another_origin_are_heard_without_cookies(hana_and_lior: tuple[Person, Person], other: str) -> None:
    hana, lior = hana_and_lior
    path = hana.open_space()
    hana.join(path)
    hana.open_microphone()
    lior.join(path)
    print(f"hears hana after {lior.until_hears(HANA):.2f} s")
    assert lior.page.evaluate(SOURCE).startswith("blob:"), "our loader plays: the browser's player needs a cookie"
    lior.page.wait_for_timeout((SECONDS + 3) * 1000)  # the first signature is of no use any more
    assert lior.keeps_hearing(HANA)
    fetched = lior.page.evaluate(FETCHED)
    assert re.fullmatch(rf"{other}/hls/[0-9]+-[\w-]+/[\w-]+/\w+\.m3u8", fetched), "the signature is in the address"
    assert "hls" not in {cookie["name"] for cookie in lior.context.cookies()}
    assert lior.problems == []


def test_pages_may_fetch_and_play_from_there_and_nowhere_else(hana_and_lior: tuple[Person, Person], other: str) -> None:
    policy = hana_and_lior[1].page.request.get("/").headers["content-security-policy"]
    named = dict(part.strip().split(" ", 1) for part in policy.split(";"))
    assert named["connect-src"] == f"'self' {other}"
    assert named["media-src"] == f"'self' blob: {other}"
    assert named["script-src"].startswith("'self' 'nonce-")

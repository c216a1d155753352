"""The sound as files of a CDN, in a real Chromium: the documented edge of another name, before the documented nginx."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Playwright

from rooms.media.hls.signature import SECONDS
from tests.browser.conftest import HANA
from tests.browser.hls.test_hls import FETCHED, SAVER, SOURCE
from tests.rig.browser.person import Person
from tests.rig.machine import Machine, free_port
from tests.rig.services.nginx import CDN, HLS_SECRET, Site, configuration, edge_configuration, running

pytestmark = [pytest.mark.browser, pytest.mark.proof, pytest.mark.needs_nginx]


@pytest.fixture(scope="module")
def cdn() -> Site:
    """The edge. The origin of the files is known before it can be started."""
    return Site(Path(), free_port(), host=CDN)


@pytest.fixture(scope="module")
def spread_site(cdn: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """An installation whose files come from the edge, which fetches them from the site's nginx."""
    machine = Machine(HLS_URL=f"{cdn.url}/hls/", HLS_SECRET=HLS_SECRET)
    try:
        machine.start()
        cdn.folder, folder = tmp_path_factory.mktemp("edge"), tmp_path_factory.mktemp("origin")
        (folder / "var").mkdir()
        (folder / "var" / "hls").symlink_to(machine.var / "hls")
        pages = f"http://localhost:{machine.web}"
        origin = Site(folder, free_port(), free_port(), machine.web, pages=pages)
        with running(origin, configuration(folder, origin)), running(cdn, edge_configuration(cdn, origin)):
            yield machine
    finally:
        machine.remove()


@pytest.fixture
def hana_and_lior(
    spread_site: Machine, cdn: Site, playwright: Playwright, chromium_path: str, tone_file: Callable[[int], Path]
) -> Iterator[tuple[Person, Person]]:
    """hana, and lior, who saves data."""
    flags = [f"--host-resolver-rules=MAP {CDN} 127.0.0.1", f"--ignore-certificate-errors-spki-list={cdn.spki}"]
    hana = Person(playwright, chromium_path, spread_site, "hana", tone_file(HANA))
    lior = Person(playwright, chromium_path, spread_site, "lior", None, flags=flags)
    hana.new_page()
    lior.new_page()
    lior.page.add_init_script(SAVER)
    yield hana, lior
    hana.close()
    lior.close()


def test_files_of_another_origin_are_heard_without_cookies(hana_and_lior: tuple[Person, Person], cdn: Site) -> None:
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
    assert re.fullmatch(rf"{cdn.url}/hls/[0-9]+-[\w-]+/[\w-]+/\w+\.m3u8", fetched), "the signature is in the address"
    assert "hls" not in {cookie["name"] for cookie in lior.context.cookies()}
    assert lior.problems == []


def test_pages_may_fetch_and_play_from_there_and_nowhere_else(hana_and_lior: tuple[Person, Person], cdn: Site) -> None:
    policy = hana_and_lior[1].page.request.get("/").headers["content-security-policy"]
    named = dict(part.strip().split(" ", 1) for part in policy.split(";"))
    assert named["connect-src"] == f"'self' {cdn.url}"
    assert named["media-src"] == f"'self' blob: {cdn.url}"
    assert named["script-src"].startswith("'self' 'nonce-")

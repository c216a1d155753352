"""The nginx of a CDN of one's own in docs/operating/hls.md, started as it stands there but for names, ports and paths.

Behind it is the documented nginx of the site, which has the files.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from time import time

import pytest

from rooms.media.hls.signature import SECONDS, folder, sign
from spaces_project.machine.processes import with_patience
from tests.rig import documents
from tests.rig.machine import free_port
from tests.rig.services.nginx import (
    CDN,
    HLS_SECRET,
    HOST,
    PATIENCE,
    Site,
    ask,
    configuration,
    edge_configuration,
    running,
)

TEA = folder(HLS_SECRET, "tea")

pytestmark = [pytest.mark.alone, pytest.mark.needs_nginx]


@pytest.fixture(scope="module")
def origin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The nginx of the site, without the site: nothing but files is asked for."""
    folder = tmp_path_factory.mktemp("origin")
    site = Site(folder, free_port(), free_port(), free_port())
    with running(site, configuration(folder, site)):
        yield site


@pytest.fixture(scope="module")
def edge(origin: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    site = Site(tmp_path_factory.mktemp("edge"), free_port(), host=CDN)
    with running(site, edge_configuration(site, origin)):
        yield site


@pytest.fixture
def files(origin: Site) -> Path:
    """The folder of a Space at the origin."""
    here = origin.folder / "var" / "hls" / TEA
    here.mkdir(parents=True, exist_ok=True)
    return here


def put(files: Path, name: str, content: bytes) -> None:
    (files / name).write_bytes(content)


def signed(now: float | None = None, secret: str = HLS_SECRET) -> str:
    return sign(secret, TEA, now or time())


def test_one_copy_is_kept_for_all_signatures(edge: Site, files: Path) -> None:
    put(files, "one.m4s", bytes(1000))
    assert ask(edge, f"/hls/{signed()}/{TEA}/one.m4s").headers["X-Cache"] == "MISS"
    (files / "one.m4s").unlink()
    another = ask(edge, f"/hls/{signed(time() + 1)}/{TEA}/one.m4s")
    assert (another.status, another.headers["X-Cache"]) == (200, "HIT")
    assert another.headers.get_all("Cache-Control") == ["public, max-age=60, immutable"]


def test_an_old_address_does_not_open_what_is_kept(edge: Site, files: Path) -> None:
    put(files, "two.m4s", bytes(1000))
    assert ask(edge, f"/hls/{signed()}/{TEA}/two.m4s").status == 200
    for there, status in ((signed(time() - SECONDS - 2), 410), (signed(secret="guess"), 403), ("own", 404)):
        refused = ask(edge, f"/hls/{there}/{TEA}/two.m4s")
        assert refused.status == status
        assert "public" not in (refused.headers["Cache-Control"] or ""), "no cache behind it keeps a refusal"


def test_a_playlist_is_fetched_again_after_its_second(edge: Site, files: Path) -> None:
    put(files, "opus.m3u8", b"#EXTM3U\n")
    assert ask(edge, f"/hls/{signed()}/{TEA}/opus.m3u8").headers["Content-Length"] == "8"
    put(files, "opus.m3u8", b"#EXTM3U\n#EXT-X-VERSION:7\n")

    def is_new() -> bool:
        return ask(edge, f"/hls/{signed()}/{TEA}/opus.m3u8").headers["Content-Length"] == "25"

    assert with_patience(is_new, PATIENCE)


def test_a_part_is_cut_out_of_what_is_kept(edge: Site, files: Path) -> None:
    put(files, "three.m4s", bytes(1000))
    for status in ("MISS", "HIT"):
        part = ask(edge, f"/hls/{signed()}/{TEA}/three.m4s", headers={"Range": "bytes=0-9"})
        assert (part.status, part.headers["X-Cache"]) == (206, status)


def test_a_file_that_is_not_there_yet_is_asked_for_again(edge: Site, files: Path) -> None:
    assert ask(edge, f"/hls/{signed()}/{TEA}/four.m4s").status == 404
    put(files, "four.m4s", bytes(1000))
    assert ask(edge, f"/hls/{signed()}/{TEA}/four.m4s").status == 200


@pytest.mark.parametrize("there", ["{signed}", "1-x"], ids=["given", "refused"])
def test_the_pages_of_the_site_may_read_it(edge: Site, origin: Site, files: Path, there: str) -> None:
    put(files, "index.m3u8", b"#EXTM3U\n")
    answer = ask(edge, f"/hls/{there.format(signed=signed())}/{TEA}/index.m3u8")
    assert answer.headers.get_all("Access-Control-Allow-Origin") == [origin.url]


def test_nothing_else_of_the_site_is_there(edge: Site) -> None:
    assert {ask(edge, path).status for path in ("/", "/accounts/login/", "/hls/", "/static/x.css")} == {404}


def test_both_configurations_read_a_signature_alike() -> None:
    """The site's may come as a cookie, too, which no edge sees."""
    lines = [
        re.findall(r"^map \$hls_signed .*$|^ *secure_link.*$", documents.configuration(name), re.MULTILINE)
        for name in ("nginx", "nginx_edge")
    ]
    assert lines[0] == lines[1]
    assert HOST in documents.configuration("nginx_edge")

"""The files that the site serves below /hls/, and above all those that it refuses."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from rooms.hls.server import Files
from rooms.media.hls.signature import SECONDS, folder, sign

NOW = 1_790_000_000.0
SECRET = "s3cret"
TEA, OTHER = folder(SECRET, "tea"), folder(SECRET, "other")
SEGMENT = bytes(range(256))


class Site:
    """The files of one Space, asked for with a signature of now unless another one is given."""

    def __init__(self, root: Path) -> None:
        self.now, self.elsewhere = NOW, 0
        (root / TEA).mkdir()
        (root / TEA / "index.m3u8").write_text("#EXTM3U\n")
        (root / TEA / "name.m4s").write_bytes(SEGMENT)
        (root / TEA / ".part").write_bytes(SEGMENT)
        (root / "secret.m4s").write_bytes(b"secret")
        self.files = Files(root, SECRET, self._others, lambda: self.now)

    async def _others(self, scope: Any, receive: Any, send: Any) -> None:
        self.elsewhere += 1

    def ask(self, path: str, method: str = "GET", **headers: str) -> tuple[int, dict[str, str], bytes]:
        sent: list[dict[str, Any]] = []

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        given = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
        asyncio.run(self.files({"method": method, "path": path, "headers": given}, None, send))
        start, body = sent
        return start["status"], {k.decode(): v.decode() for k, v in start["headers"]}, body["body"]

    def status(self, path: str, **more: str) -> int:
        status, _, body = self.ask(path, **more)
        assert status < 400 or body == b""
        return status


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


def signed(name: str = TEA, now: float = NOW, secret: str = SECRET) -> str:
    return sign(secret, name, now)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (f"/hls/{signed(now=NOW - SECONDS - 1)}/{TEA}/index.m3u8", 410),
        (f"/hls/{signed(secret='guess')}/{TEA}/index.m3u8", 403),
        (f"/hls/{signed(OTHER)}/{TEA}/index.m3u8", 403),
        (f"/hls/own/{TEA}/index.m3u8", 403),
        (f"/hls/{TEA}/index.m3u8", 404),
        (f"/hls/{signed()}/{TEA}/../secret.m4s", 404),
        (f"/hls/{signed()}/{TEA}/..%2fsecret.m4s", 404),
        (f"/hls/{signed()}/../secret.m4s", 404),
        (f"/hls/{signed()}/{TEA}/.part", 404),
        (f"/hls/{signed()}/{TEA}/", 404),
        (f"/hls/{signed()}/{TEA}/gone.m4s", 404),
        (f"/hls/{signed(OTHER)}/{OTHER}/index.m3u8", 404),
        (f"/hls/{signed()}/{TEA}/name.m4s\n", 404),
    ],
)
def test_what_is_not_for_the_asker_is_refused(site: Site, path: str, status: int) -> None:
    assert site.status(path) == status


def test_nothing_is_changed_here(site: Site) -> None:
    assert site.status(f"/hls/{signed()}/{TEA}/name.m4s", method="POST") == 405


@pytest.mark.parametrize("file", ["index.m3u8", "name.m4s"])
def test_a_signature_opens_playlist_and_segments(site: Site, file: str) -> None:
    status, headers, body = site.ask(f"/hls/{signed()}/{TEA}/{file}")
    assert status == 200
    assert body == (SEGMENT if file == "name.m4s" else b"#EXTM3U\n")
    assert headers["content-length"] == str(len(body))
    assert headers["x-content-type-options"] == "nosniff"


def test_caches_keep_segments_and_hardly_playlists(site: Site) -> None:
    _, playlist, _ = site.ask(f"/hls/{signed()}/{TEA}/index.m3u8")
    _, segment, _ = site.ask(f"/hls/{signed()}/{TEA}/name.m4s")
    assert (playlist["content-type"], playlist["cache-control"]) == (
        "application/vnd.apple.mpegurl",
        "public, max-age=1",
    )
    assert (segment["content-type"], segment["cache-control"]) == ("audio/mp4", "public, max-age=60, immutable")


def test_caches_do_not_keep_a_refusal(site: Site) -> None:
    _, headers, _ = site.ask(f"/hls/{signed(OTHER)}/{TEA}/index.m3u8")
    assert headers["cache-control"] == "no-store"


def test_a_player_that_stays_with_its_address_shows_a_cookie(site: Site) -> None:
    status, headers, _ = site.ask(f"/hls/own/{TEA}/name.m4s", cookie=f"sessionid=x; hls={signed()}")
    assert status == 200
    assert headers["cache-control"].startswith("private"), "a cache on the way does not see the cookie"


@pytest.mark.parametrize("cookie", ["hls=", "hls", "a=b", "\x00", f"hls={signed(OTHER)}", "hls=1-2; hls"])
def test_another_cookie_opens_nothing(site: Site, cookie: str) -> None:
    assert site.status(f"/hls/own/{TEA}/name.m4s", cookie=cookie) == 403


def test_the_cookies_time_is_over_too(site: Site) -> None:
    site.now += SECONDS + 1
    assert site.status(f"/hls/own/{TEA}/name.m4s", cookie=f"hls={signed()}") == 410


@pytest.mark.parametrize(
    ("asked", "status", "place"),
    [
        ("bytes=10-19", 206, slice(10, 20)),
        ("bytes=-6", 206, slice(250, 256)),
        ("bytes=256-", 416, slice(0, 0)),
        ("bytes=5-2", 200, slice(0, 256)),
    ],
)
def test_a_part_of_a_segment(site: Site, asked: str, status: int, place: slice) -> None:
    got, headers, body = site.ask(f"/hls/{signed()}/{TEA}/name.m4s", range=asked)
    assert (got, body) == (status, SEGMENT[place])
    assert ("content-range" in headers) == (status != 200)


def test_a_playlist_comes_whole(site: Site) -> None:
    status, headers, body = site.ask(f"/hls/{signed()}/{TEA}/index.m3u8", range="bytes=1-2")
    assert (status, body, "accept-ranges" in headers) == (200, b"#EXTM3U\n", False)


def test_head_has_the_headers_alone_and_knows_no_range(site: Site) -> None:
    status, headers, body = site.ask(f"/hls/{signed()}/{TEA}/name.m4s", method="HEAD", range="bytes=0-9")
    assert (status, headers["content-length"], body) == (200, "256", b"")


def test_everything_else_is_for_the_site(site: Site) -> None:
    with pytest.raises(ValueError, match="unpack"):
        site.ask("/spaces/new/")
    assert site.elsewhere == 1

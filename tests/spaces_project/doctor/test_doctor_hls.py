"""The doctor fetches the sound as files at the address for browsers: each fault of the server, with its fix."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from time import time
from typing import Any

import pytest
from pytest_django import Settings

from rooms.hls.server import Files
from spaces_project.doctor import hls
from spaces_project.doctor.findings import Finding

SITE = "https://spaces.example.org"
Given = tuple[int, dict[str, str], bytes]


class Server(Files):
    """The site's own server of files, or another one with a fault: `faulty` changes what it answers."""

    def __init__(self, root: Path, secret: str, late: float = 0.0, allowed: str = "") -> None:
        super().__init__(root, secret, lambda *_: None, now=lambda: time() + late)  # type: ignore[arg-type]
        self.more = {"access-control-allow-origin": allowed} if allowed else {}
        self.asked: list[str] = []

    def given(self, path: str) -> Given:
        self.asked.append(path)
        status, headers, body = self.answer("GET", path, {})
        return status, headers | self.more, body


class Careless(Server):
    """Checks nothing."""

    def given(self, path: str) -> Given:
        return 200, {}, (self.root / "/".join(path.split("/")[3:])).read_bytes()


class Timeless(Server):
    """Checks the signature, but not its time."""

    def __init__(self, root: Path, secret: str) -> None:
        super().__init__(root, secret, late=-1e6)


class Shut(Server):
    """nginx whose user may not read the folder: every request for the file gets 403."""

    def given(self, path: str) -> Given:
        status, headers, body = super().given(path)
        return (403 if status == 200 else status), headers, body


class Other(Server):
    """Answers every request with a page."""

    def given(self, path: str) -> Given:
        return 200, {}, b"<!doctype html>"


class Broken(Server):
    def given(self, path: str) -> Given:
        return 502, {}, b""


class Lost(Server):
    def given(self, path: str) -> Given:
        return 405, {}, b""


@contextmanager
def serving(server: Server) -> Iterator[int]:
    """It answers on this port of the machine."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, headers, body = server.given(self.path)
            self.send_response(status)
            for name, value in (headers | {"content-length": str(len(body))}).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: Any) -> None:
            return None

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listener:
        thread = Thread(target=listener.serve_forever)
        thread.start()
        yield listener.server_port
        listener.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def files(settings: Settings, tmp_path: Path) -> Path:
    """The folder of the files, which does not exist yet."""
    settings.PUBLIC_URL, settings.HLS_SECRET, settings.HLS_DIR = "", "a1b2c3", tmp_path / "hls"
    return tmp_path / "hls"


def finding(server: Server, settings: Settings, other_site: bool = False) -> Finding:
    with serving(server) as port:
        if other_site:
            settings.PUBLIC_URL, settings.HLS_URL = SITE, f"http://127.0.0.1:{port}/hls/"
        else:
            settings.WEB_PORT = port
        [one] = hls.sound_as_files()
    assert one.ok or one.mend
    assert not settings.HLS_DIR.exists(), "what was written is gone"
    return one


def test_the_site_itself_serves_them(settings: Settings, files: Path) -> None:
    server = Server(files, "a1b2c3")
    one = finding(server, settings)
    assert one.ok, one
    assert one.detail == f"http://127.0.0.1:{settings.WEB_PORT}/hls/ serves them with our signature, and not without"
    assert len(server.asked) == 3, "with our signature, with a forged one, with an old one"


@pytest.mark.parametrize(
    ("server", "root", "secret", "words", "mend"),
    [
        (Server, "hls", "another", "status 403, it refuses our signature", "HLS_SECRET"),
        (Shut, "hls", "a1b2c3", "status 403, it cannot find the file, or may not read it", "Let it serve"),
        (Server, "elsewhere", "a1b2c3", "status 404, it cannot find the file", "Let it serve"),
        (Careless, "hls", "", "also answers a forged signature", "before every answer"),
        (Timeless, "hls", "a1b2c3", "also answers an old signature", "before every answer"),
        (Other, "hls", "", "answers with something else", "/hls/"),
        (Lost, "hls", "", "status 405", "/hls/"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_a_fault_and_its_mend(
    settings: Settings, files: Path, server: type[Server], root: str, secret: str, words: str, mend: str
) -> None:
    one = finding(server(files.parent / root, secret), settings)
    assert not one.ok
    assert not one.warning
    assert words in one.detail
    assert mend in one.mend


def test_another_clock(settings: Settings, files: Path) -> None:
    one = finding(Server(files, "a1b2c3", late=60.0), settings)
    assert (one.ok, "status 410" in one.detail, "NTP" in one.mend) == (False, True, True)


@pytest.mark.parametrize(("allowed", "fine"), [("", False), ("https://example.org", False), ("*", True), (SITE, True)])
def test_another_site_has_to_let_pages_of_this_one_read_them(
    settings: Settings, files: Path, allowed: str, fine: bool
) -> None:
    one = finding(Server(files, "a1b2c3", allowed=allowed), settings, other_site=True)
    assert one.ok == fine, one
    assert fine or one.mend == f"Add this header to its answers: Access-Control-Allow-Origin: {SITE}"


@pytest.mark.parametrize(("runs", "url"), [(True, "/hls/"), (True, "http://127.0.0.1:{}/hls/"), (False, "/hls/")])
def test_no_server_answers(settings: Settings, monkeypatch: pytest.MonkeyPatch, runs: bool, url: str) -> None:
    """That is a fault while the site runs. If it does not run, its own check says so, and this one warns."""
    monkeypatch.setattr(hls, "web_health", lambda *_: {} if runs else None)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))  # and does not listen
        settings.WEB_PORT = probe.getsockname()[1]
        settings.HLS_URL = url.format(settings.WEB_PORT)
        [one] = hls.sound_as_files()
    assert (one.ok, one.warning) == (False, not runs)
    assert "no answer (Connection refused)" in one.detail
    assert ("HLS_URL" if url != "/hls/" else "in front" if runs else "runspaces") in one.mend


def test_a_proxy_before_a_site_that_does_not_run(settings: Settings, files: Path) -> None:
    one = finding(Broken(files, ""), settings)
    assert (one.warning, "status 502, and no web process answers" in one.detail) == (True, True)


def test_a_folder_that_cannot_be_written(settings: Settings, tmp_path: Path) -> None:
    settings.HLS_DIR = tmp_path / "file"
    settings.HLS_DIR.write_text("in the way")
    [one] = hls.sound_as_files()
    assert (one.ok, "HLS_DIR" in one.mend) == (False, True)


def test_what_others_wrote_stays(settings: Settings, files: Path) -> None:
    (files / "tea").mkdir(parents=True)
    assert list(hls.sound_as_files())
    assert [one.name for one in files.iterdir()] == ["tea"]


def test_it_may_be_switched_off(settings: Settings) -> None:
    settings.HLS = False
    assert [(one.ok, one.detail) for one in hls.sound_as_files()] == [(True, "switched off")]

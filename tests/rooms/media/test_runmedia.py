"""The command runmedia: its output, its refusals, and what it passes to the web side."""

import os
import platform
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

import pytest
from celery import current_app
from django.conf import settings
from django.core.files.storage import storages
from django.core.management import CommandError, call_command
from django.test import override_settings

from recordings.chunks import checked
from rooms.management.commands import runmedia
from rooms.media.capture.tap import Chunk, Tap
from rooms.media.client.tones import tone_packets
from rooms.media.contract.keys import bearer
from rooms.media.settings import Settings
from rooms.media.units import FRAME
from spaces_project.machine.processes import spawn
from tests.rig.machine import CHECKOUT

SPACE, TURN, HANA = (f"7c9e6679-7425-40de-944b-e07fc1f90ae{digit}" for digit in "123")


@pytest.fixture
def chunk() -> Chunk:
    closed: list[Chunk] = []
    tap = Tap(SPACE, TURN, HANA, closed.append)
    for number in range(10):
        tap.write(tone_packets(440.0)[number], FRAME, number * FRAME, number * FRAME)
    tap.close()
    return closed[0]


@pytest.fixture
def tasks(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, list[Any]]]:
    sent: list[tuple[str, list[Any]]] = []
    monkeypatch.setattr(current_app, "send_task", lambda name, args, **more: sent.append((name, args)))
    return sent


@override_settings(
    MEDIA_SECRET="s", MEDIA_BIND="::", MEDIA_ANNOUNCE=["203.0.113.7"], MEDIA_CAPACITY=7, MEDIA_LONG_PACKETS_ABOVE=30,
    MEDIA_MOST_LOAD=80, HLS=True, HLS_DIR=Path("/files"), HLS_SECRET="h",
)  # fmt: skip
def test_the_node_gets_what_the_operator_decided() -> None:
    chosen = runmedia.read_settings(40_000, 40_001, "media-1")
    assert (chosen.name, chosen.port, chosen.http_port) == ("media-1", 40_000, 40_001)
    assert (chosen.secret, chosen.bind, chosen.announce, chosen.capacity) == ("s", "::", ("203.0.113.7",), 7)
    assert (chosen.long_above, chosen.most_load, chosen.hls, chosen.hls_secret) == (0.3, 0.8, Path("/files"), "h")
    with override_settings(HLS=False):
        assert runmedia.read_settings(0, 0, "").hls is None
    assert runmedia.read_settings(40_002, 0, "").name == f"{platform.node()}-40002"


def test_the_settings_of_a_node_have_no_second_defaults() -> None:
    assert all(field.default is field.default_factory is MISSING for field in fields(Settings))


def test_a_chunk_is_stored_and_entered_and_that_twice_is_the_same(
    chunk: Chunk, tasks: list[tuple[str, list[Any]]]
) -> None:
    for _ in range(2):
        runmedia.Web().ship(chunk)
    with storages["recordings"].open(chunk.key) as file:
        assert file.read() == chunk.data
    folder = chunk.key.rpartition("/")[0]
    assert storages["recordings"].listdir(folder)[1] == ["0000000000.opus"]
    assert tasks == [("recordings.tasks.ingest", [chunk.key, runmedia.describe(chunk)])] * 2


def test_the_description_of_a_chunk_is_what_the_recordings_take(chunk: Chunk) -> None:
    said = checked(runmedia.describe(chunk))
    assert said.key == chunk.key
    assert (said.size, said.sha256) == (len(chunk.data), chunk.sha256)


def test_without_a_secret_it_refuses() -> None:
    with override_settings(MEDIA_SECRET=""), pytest.raises(CommandError, match="MEDIA_SECRET"):
        call_command("runmedia")


@pytest.mark.parametrize(("kind", "option"), [(socket.SOCK_DGRAM, "port"), (socket.SOCK_STREAM, "http_port")])
def test_a_taken_port_is_one_clear_line(kind: socket.SocketKind, option: str, tmp_path: Any) -> None:
    with socket.socket(socket.AF_INET, kind) as taken, override_settings(MEDIA_BIND="127.0.0.1", MEDIA_SPOOL=tmp_path):
        taken.bind(("127.0.0.1", 0))
        if kind == socket.SOCK_STREAM:
            taken.listen()
        ports = {"port": 0, "http_port": 0} | {option: taken.getsockname()[1]}
        with pytest.raises(CommandError, match=r"cannot start: .*in use") as refusal:
            call_command("runmedia", name="n1", **ports)
    assert "\n" not in str(refusal.value)


@pytest.fixture
def node(tmp_path: Any) -> Iterator[subprocess.Popen[bytes]]:
    """A node in a process of its own."""
    process = spawn(
        [sys.executable, "manage.py", "runmedia", "--port", "0", "--http-port", "0", "--name", "n1"],
        cwd=CHECKOUT, env=os.environ | {"MEDIA_BIND": "127.0.0.1", "MEDIA_SPOOL": str(tmp_path)},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    yield process
    process.kill()
    process.wait()
    assert process.stdout is not None
    process.stdout.close()


def tell(number: int) -> Callable[[int, str], None]:
    return lambda pid, url: os.kill(pid, number)


def ask(pid: int, url: str) -> None:
    headers = {"Authorization": bearer(settings.MEDIA_SECRET)}
    urllib.request.urlopen(urllib.request.Request(f"{url}/stop", b"", headers)).close()


@pytest.mark.parametrize(
    ("stop", "code"),
    [(tell(signal.SIGTERM), -signal.SIGTERM), (tell(signal.SIGINT), -signal.SIGINT), (ask, 0)],
    ids=["SIGTERM", "SIGINT", "POST /stop"],
)
def test_only_a_node_that_is_not_to_come_back_exits_with_0(
    node: subprocess.Popen[bytes], stop: Callable[[int, str], None], code: int
) -> None:
    """After any other end `runspaces` starts it again."""
    assert node.stdout is not None
    lines = iter(node.stdout.readline, b"")
    found = next(match for line in lines if (match := re.search(rb"HTTP on (\S+)", line)))
    stop(node.pid, found[1].decode())
    assert b"Media node n1 stopped.\n" in list(lines)
    assert node.wait() == code

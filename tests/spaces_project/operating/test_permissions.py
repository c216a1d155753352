"""Whether only nginx and coturn may read what they need, by the lines of docs/operating/. Needs root."""

import grp
import multiprocessing
import os
import pwd
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rooms.media.client.probe import put_file
from tests.rig import folders
from tests.rig.documents import configuration, text
from tests.rig.services import certificate

pytestmark = [pytest.mark.alone, pytest.mark.needs_coturn, pytest.mark.needs_network, pytest.mark.needs_nginx]
SPACES, NGINX, COTURN, STRANGER = "daemon", "www-data", "turnserver", "games"  # each has a group of the same name
REFUSED = 13  # exit code, EACCES: any other failure is none of rights


@pytest.fixture
def folder() -> Iterator[Path]:
    made = folders.make_open("permissions")
    yield made
    folders.remove(made)


def succeeds(user: str, do: Callable[[], object]) -> bool:
    """Whether a user may do it. It is done in a process of that user."""

    def become_and_do() -> None:
        os.setgroups([])
        os.setgid(grp.getgrnam(user).gr_gid)
        os.setuid(pwd.getpwnam(user).pw_uid)
        try:
            do()
        except PermissionError:
            os._exit(REFUSED)

    process = multiprocessing.get_context("fork").Process(target=become_and_do)
    process.start()
    process.join()
    assert process.exitcode in (0, REFUSED)
    return process.exitcode == 0


def sh(line: str, folder: Path, **environment: str) -> None:
    done = subprocess.run(
        ["sh", "-ec", line], cwd=folder, env=os.environ | environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_only_nginx_reads_what_media_nodes_write(folder: Path) -> None:
    line = "install -d -o spaces -g www-data -m 2750 var/hls"
    assert f"`{line}`" in text()
    sh(f"mkdir -p var; {line.replace('-o spaces', f'-o {SPACES}')}", folder)

    def write() -> None:
        put_file(folder / "var" / "hls", "x7Qa", "live.m3u8", b"#EXTM3U\n")

    def read() -> None:
        assert (folder / "var" / "hls" / "x7Qa" / "live.m3u8").read_bytes() == b"#EXTM3U\n"

    assert succeeds(SPACES, write)
    assert [succeeds(user, read) for user in (SPACES, NGINX, STRANGER)] == [True, True, False]
    assert not succeeds(NGINX, write)


def test_coturn_reads_what_certbot_renews_and_gets_a_signal(folder: Path) -> None:
    """By the documented hook, twice, as certbot calls it; the certificates of others are none of its business."""
    kept, lineage, calls = folder / "turnserver", folder / "live", stand_in(folder, "systemctl")
    lineage.mkdir()
    for domains in ("turn.example.org", "www.example.org turn.example.org", "spaces.example.org"):
        certificate.write_lineage(lineage, "turn.example.org")
        sh(
            configuration("certificate").replace("/etc/turnserver", str(kept)), folder, RENEWED_DOMAINS=domains,
            RENEWED_LINEAGE=str(lineage), PATH=f"{folder / 'bin'}:{os.environ['PATH']}",
        )  # fmt: skip
        taken = "turn.example.org" in domains
        for name in ("fullchain.pem", "privkey.pem"):
            assert ((kept / name).read_bytes() == (lineage / name).read_bytes()) == taken
            assert succeeds(COTURN, (kept / name).read_bytes)
            assert not succeeds(STRANGER, (kept / name).read_bytes)
        assert not succeeds(COTURN, lambda: (kept / "privkey.pem").write_bytes(b""))
    assert calls.read_text() == "kill --signal=USR2 coturn\n" * 2


def stand_in(folder: Path, program: str) -> Path:
    """A program in `bin` that only writes its arguments into a file. Returns the file."""
    calls, script = folder / "calls", folder / "bin" / program
    script.parent.mkdir()
    script.write_text(f'#!/bin/sh\necho "$@" >> {calls}\n')
    script.chmod(0o755)
    return calls

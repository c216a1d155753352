"""Whether nginx and coturn may read what they need, and nobody else, by the lines of docs/operating.md. Needs root."""

import grp
import multiprocessing
import os
import pwd
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rooms.media.hls import shelf
from tests import certificate, folders
from tests.spaces_project.test_configurations import PAGE, documented

pytestmark = pytest.mark.alone
SPACES, NGINX, COTURN, STRANGER = "daemon", "www-data", "turnserver", "games"  # each with a group of his name


@pytest.fixture
def folder() -> Iterator[Path]:
    """One that everybody may enter, as /srv/spaces is."""
    made = folders.make("permissions", os.getpid())
    made.chmod(0o755)
    yield made
    folders.remove(made)


def succeeds(user: str, do: Callable[[], object]) -> bool:
    """Whether a user may do it: it is done in a process of his."""

    def become_and_do() -> None:
        os.setgroups([])
        os.setgid(grp.getgrnam(user).gr_gid)
        os.setuid(pwd.getpwnam(user).pw_uid)
        try:
            do()
        except PermissionError:
            os._exit(1)

    process = multiprocessing.get_context("fork").Process(target=become_and_do)
    process.start()
    process.join()
    assert process.exitcode in (0, 1)
    return process.exitcode == 0


def sh(line: str, folder: Path, **environment: str) -> None:
    done = subprocess.run(
        ["sh", "-ec", line], cwd=folder, env=os.environ | environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_nginx_reads_what_media_nodes_write_and_nobody_else_does(folder: Path) -> None:
    line = "install -d -o spaces -g www-data -m 2750 var/hls"
    assert f"`{line}`" in PAGE
    sh(f"mkdir -p var; {line.replace('-o spaces', f'-o {SPACES}')}", folder)

    def write() -> None:
        shelf.write(shelf.opened(folder / "var" / "hls", "x7Qa"), "live.m3u8", b"#EXTM3U\n")

    def read() -> None:
        assert (folder / "var" / "hls" / "x7Qa" / "live.m3u8").read_bytes() == b"#EXTM3U\n"

    assert succeeds(SPACES, write)
    assert [succeeds(user, read) for user in (SPACES, NGINX, STRANGER)] == [True, True, False]
    assert not succeeds(NGINX, write)


def test_coturn_reads_what_certbot_renews_and_is_told_of_it(folder: Path) -> None:
    """By the documented hook, twice, as certbot calls it."""
    kept, lineage, programs = folder / "turnserver", folder / "live", folder / "bin"
    for made in (lineage, programs):
        made.mkdir()
    (programs / "systemctl").write_text(f'#!/bin/sh\necho "$@" >> {folder}/told\n')
    (programs / "systemctl").chmod(0o755)
    for _ in range(2):
        certificate.write(lineage, "turn.example.org")
        (lineage / "cert.pem").rename(lineage / "fullchain.pem")
        (lineage / "key.pem").rename(lineage / "privkey.pem")
        sh(
            documented("certificate").replace("/etc/turnserver", str(kept)), folder,
            RENEWED_LINEAGE=str(lineage), PATH=f"{programs}:{os.environ['PATH']}",
        )  # fmt: skip
        for name in ("fullchain.pem", "privkey.pem"):
            assert (kept / name).read_bytes() == (lineage / name).read_bytes()
            assert succeeds(COTURN, (kept / name).read_bytes)
            assert not succeeds(STRANGER, (kept / name).read_bytes)
        assert not succeeds(COTURN, lambda: (kept / "privkey.pem").write_bytes(b""))
    assert (folder / "told").read_text() == "kill --signal=USR2 coturn\n" * 2

"""The passes of tests say which part cannot run here, and under CI that is a failure."""

import os
import re
import subprocess

import pytest

from tests.rig.machine import CHECKOUT


def make(target: str, *, ci: str, nginx: str) -> subprocess.CompletedProcess[str]:
    """A pass in which no test runs, on a machine that has everything else."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "CI"))}
    there = [
        "BROWSER=there",
        "FIREFOX=there",
        "COTURN=there",
        "IP=there",
        "NFT=there",
        "SYSTEMD=there",
        "ROOT=0",
        "PYTEST=true",
        f"NGINX={nginx}",
    ]
    return subprocess.run(
        ["make", target, "--old-file=.venv/test.stamp", *there], cwd=CHECKOUT, env=kept | {"CI": ci},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


@pytest.mark.parametrize("target", ["serial", "proof"])
def test_what_is_missing_is_a_failure_under_ci(target: str) -> None:
    done = make(target, ci="true", nginx="")
    assert done.returncode == 2, done.stdout
    assert "Missing: Debian's nginx-light. Under CI that is a failure." in done.stdout


@pytest.mark.parametrize("target", ["serial", "proof"])
def test_elsewhere_it_is_said_at_the_end(target: str) -> None:
    done = make(target, ci="", nginx="")
    assert done.returncode == 0, done.stderr
    assert "DID NOT RUN: tests marked needs_nginx. This machine lacks Debian's nginx-light." in done.stdout


@pytest.mark.parametrize("target", ["serial", "proof"])
@pytest.mark.parametrize("ci", ["true", ""])
def test_nothing_is_said_if_nothing_is_missing(target: str, ci: str) -> None:
    done = make(target, ci=ci, nginx="there")
    assert done.returncode == 0, done.stderr
    assert "DID NOT RUN" not in done.stdout


#: What a test file imports or asks for, and the marker that it must carry.
NEEDS = {
    r"tests\.rig\.browser\.firefox": "needs_firefox",
    r"tests\.rig\.services\.nginx": "needs_nginx",
    r"tests\.rig\.services\.coturn import .*Coturn|tests\.rooms\.turn\.client|coturn: Coturn": "needs_coturn",
    r"tests\.rig\.services\.systemd": "needs_systemd",
    r"tests\.rig\.browser\.places|cable: Cable": "needs_network",
}


@pytest.mark.parametrize(("pattern", "marker"), NEEDS.items(), ids=NEEDS.values())
def test_a_file_that_needs_a_program_says_so(pattern: str, marker: str) -> None:
    """Otherwise it would fail, and not be named, on a machine without that program."""
    sources = {path: path.read_text(encoding="utf-8") for path in (CHECKOUT / "tests").rglob("test_*.py")}
    users = [path for path, text in sources.items() if re.search(pattern, text) and path.name != "test_makefile.py"]
    assert users
    assert [str(path) for path in users if f"pytest.mark.{marker}" not in sources[path]] == []

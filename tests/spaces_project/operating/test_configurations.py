"""The configurations of docs/operating/, as they are printed: the settings take them, the doctor finds no fault."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from spaces_project.env import read_file
from tests.rig.documents import configuration, text, variables
from tests.rig.machine import CHECKOUT, OF_THE_RUN

CHECKS = ("secrets", "secure_context", "proxies", "announced_addresses")
# Prints the findings of the doctor, and the addresses that a node on port 40000 would send to browsers.
EXAMINE = f"""
import django, json
django.setup()
from django.conf import settings
from rooms.media.contract import addresses
from spaces_project.doctor import checks as doctor
found = [finding for name in {CHECKS} for finding in getattr(doctor, name)()]
announced = [one.at(settings.MEDIA_PORT) for one in addresses.parse_all(settings.MEDIA_ANNOUNCE)]
policy = settings.CONTENT_SECURITY_POLICY["DIRECTIVES"]
files = [[source for source in policy[name] if "//" in source] for name in ("connect-src", "media-src")]
print(json.dumps([[finding.detail for finding in found if not finding.ok], announced, files]))
"""
OWN: list[list[str]] = [[], []]
CDN = [["https://cdn.example.org"]] * 2  # what else than the site pages may fetch, and play
SECRETS = {"SECRET_KEY": "k" * 50, "MEDIA_SECRET": "m" * 50, "TURN_SECRET": "t" * 50, "HLS_SECRET": "h" * 50}
DIFFERENT = {"MEDIA_HTTP_HOST", "MEDIA_ANNOUNCE"}  # from machine to machine


@pytest.mark.parametrize(
    ("name", "announced", "files"),
    [
        ("home", [["203.0.113.7", 40000], ["192.168.178.20", 40000]], OWN),
        ("server", [["203.0.113.7", 40000], ["2001:db8::7", 40000]], OWN),
        ("web", [["203.0.113.7", 40000], ["2001:db8::7", 40000]], CDN),
        ("node", [["203.0.113.8", 40000], ["2001:db8::8", 40000]], CDN),
    ],
)
def test_a_configuration_is_taken_as_it_stands_and_has_no_fault(
    name: str, announced: list[object], files: list[list[str]], tmp_path: Path
) -> None:
    file = tmp_path / "spaces.env"
    file.write_text(configuration(name))
    own = {variable: value for variable, value in os.environ.items() if variable not in OF_THE_RUN}
    more = SECRETS | {"VAR_DIR": str(tmp_path / "var"), "DJANGO_SETTINGS_MODULE": "spaces_project.settings"}
    environment = own | more | read_file(file)
    done = subprocess.run(
        [sys.executable, "-c", EXAMINE], cwd=CHECKOUT, env=environment,
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == [[], announced, files]


def test_two_machines_differ_in_nothing_but_their_addresses() -> None:
    web, node = variables("web"), variables("node")
    assert {name for name in web | node if web.get(name) != node.get(name)} == DIFFERENT


def test_both_nodes_can_be_asked_from_both_machines() -> None:
    """Each by its machine's address in the network from which PostgreSQL and Redis take connections."""
    hosts = [variables(name)["MEDIA_HTTP_HOST"] for name in ("web", "node")]
    assert len(set(hosts)) == 2
    allowed = r"^host +spaces +spaces +(\S+)/32 +scram-sha-256$"
    assert re.findall(allowed, configuration("pg_hba"), re.MULTILINE) == hosts
    for name in ("web", "node"):
        database, redis = (urlsplit(variables(name)[variable]) for variable in ("DATABASE_URL", "REDIS_URL"))
        assert database.hostname == redis.hostname == hosts[0]
        assert f"requirepass {redis.password}\n" in configuration("redis")
    for name in ("redis", "postgresql"):
        assert re.search(rf"^(bind|listen_addresses) .*\b{hosts[0]}\b", configuration(name), re.MULTILINE)


def test_coturn_relays_to_both_machines_and_nginx_serves_their_folder() -> None:
    announced = {address for name in ("web", "node") for address in variables(name)["MEDIA_ANNOUNCE"].split(",")}
    assert {f"allowed-peer-ip={address}" for address in announced} == set(configuration("coturn_nodes").split())
    assert f"alias {variables('node')['HLS_DIR']}/$hls_folder" in configuration("nginx")
    assert variables("web")["TURN_URLS"] == re.findall(r'^export TURN_URLS="(.*)"$', text(), re.MULTILINE)[0]


HOME = "203.0.113.7,192.168.178.20"
FORMS = [HOME, "203.0.113.7:3478", "203.0.113.7:3478,192.168.178.20", "203.0.113.7", "203.0.113.7,2001:db8::7"]
QUOTED = [f'"{HOME}"', "'203.0.113.7:3478'"]  # systemd takes them off
LEFT_ALONE = ["2001:db8::7,203.0.113.7", "[2001:db8::7]:3478"]  # the script looks for an IPv4 address that comes first


def test_the_script_begins_with_what_is_documented() -> None:
    assert f"MEDIA_ANNOUNCE={HOME}\n" in configuration("home")


@pytest.mark.parametrize("announced", FORMS + QUOTED)
def test_the_script_follows_an_address_that_changes(announced: str, tmp_path: Path) -> None:
    after, restarts = follow(announced, "198.51.100.4 STREAM", tmp_path)
    assert (after, restarts) == (announced.replace("203.0.113.7", "198.51.100.4"), 1)


@pytest.mark.parametrize("announced", FORMS + QUOTED)
@pytest.mark.parametrize("answer", ["203.0.113.7 STREAM", ""], ids=["the same", "no answer"])
def test_the_script_does_nothing_if_the_address_stays(announced: str, answer: str, tmp_path: Path) -> None:
    assert follow(announced, answer, tmp_path) == (announced, 0)


@pytest.mark.parametrize("announced", LEFT_ALONE)
def test_the_script_leaves_alone_what_it_does_not_know(announced: str, tmp_path: Path) -> None:
    assert follow(announced, "198.51.100.4 STREAM", tmp_path) == (announced, 0)


def follow(announced: str, answer: str, folder: Path) -> tuple[str, int]:
    """Run the script as cron does, three times; what is announced then, and how often the site was restarted."""
    file, script, programs = folder / "spaces.env", folder / "script", folder / "bin"
    file.write_text(configuration("home").replace(HOME, announced))
    script.write_text(configuration("address").replace("/etc/spaces.env", str(file)))
    programs.mkdir()
    for name, does in (("getent", f'echo "{answer}"'), ("systemctl", f'echo "$@" >> {folder}/done')):
        (programs / name).write_text(f"#!/bin/sh\n{does}\n")
        (programs / name).chmod(0o755)
    for _ in range(3):
        subprocess.run(["sh", script], env=os.environ | {"PATH": f"{programs}:{os.environ['PATH']}"}, check=True)
    done = (folder / "done").read_text().splitlines() if (folder / "done").exists() else []
    assert set(done) <= {"restart spaces"}
    return read_file(file)["MEDIA_ANNOUNCE"], len(done)

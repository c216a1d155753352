"""A wrong variable or option is one line on standard error that says what is wrong, never a traceback."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from tests.rig.machine import CHECKOUT

WRONG = [
    (("doctor",), {"DATABASE_URL": "nonsense"}, "DATABASE_URL has to begin with postgres:// or postgresql://"),
    (("doctor",), {"DATABASE_URL": "sqlite:///x"}, "DATABASE_URL has to begin with postgres:// or postgresql://"),
    (("doctor",), {"REDIS_URL": "nonsense"}, "REDIS_URL has to begin with redis:// or rediss:// or unix://"),
    (("migrate",), {"REDIS_URL": "redis://host:6379?db=one"}, "REDIS_URL is not a complete address"),
    (("runspaces", "--demo"), {"WEB_PORT": "99999"}, "WEB_PORT='99999': it has to be at most 65535"),
    (("runmedia",), {"MEDIA_PORT": "70000"}, "MEDIA_PORT='70000': it has to be at most 65535"),
    (("doctor",), {"TURN_URLS": "turn:t.example.org"}, "TURN_URLS names servers, so TURN_SECRET has to be set"),
    (("doctor",), {"TURN_URLS": "stun:t.example.org", "TURN_SECRET": "x"}, "a TURN server is written as turn:HOST"),
    (("doctor",), {"TURN_CREDENTIAL_SECONDS": "3601"}, "TURN_CREDENTIAL_SECONDS='3601': it has to be at most 3600"),
    (
        ("runmedia",),
        {"MEDIA_ANNOUNCE": "spaces.example.org"},
        "MEDIA_ANNOUNCE='spaces.example.org': spaces.example.org is no",
    ),
    (
        ("runmedia",),
        {"MEDIA_ANNOUNCE": "203.0.113.7:0"},
        "MEDIA_ANNOUNCE='203.0.113.7:0': the port of 203.0.113.7:0 is not",
    ),
    (("doctor",), {"MEDIA_ANNOUNCE": "::1,[::1]"}, "MEDIA_ANNOUNCE='::1,[::1]': [::1] is named twice"),
    (("doctor",), {"HLS_URL": "/hls"}, "HLS_URL='/hls': of this site it can only be /hls/; otherwise it is an address"),
    (("doctor",), {"HLS_URL": "/files/"}, "HLS_URL='/files/': of this site it can only be /hls/"),
    (("runmedia",), {"HLS_URL": "https://cdn.example.org/hls"}, "HLS_URL='https://cdn.example.org/hls': it has to end"),
    (
        ("runspaces", "--demo"),
        {"HLS_URL": "cdn.example.org/"},
        "HLS_URL='cdn.example.org/': it is neither /hls/ nor",
    ),
    (
        ("doctor",),
        {"HLS_URL": "http://cdn.example.org/hls/", "PUBLIC_URL": "https://spaces.example.org"},
        "HLS_URL has to begin with https://, as PUBLIC_URL does",
    ),
    (
        ("doctor",),
        {"HLS_URL": "https://spaces.example.org/files/", "PUBLIC_URL": "https://spaces.example.org"},
        "HLS_URL is an address of this site itself, which is written as /hls/",
    ),
    (("runspaces", "--demo"), {"HLS_SECRET": "change-me"}, "HLS_SECRET has to be at least 32 letters and digits, such"),
    (("runmedia",), {"HLS_SECRET": 'a"b $c' * 8}, "HLS_SECRET has to be at least 32 letters and digits, such"),
    (("doctor",), {"TRUSTED_PROXIES": "nginx"}, "TRUSTED_PROXIES='nginx': nginx is no IP address and no network"),
    (("runmedia",), {"TURN_SECRET_FILE": "/nonexistent"}, "TURN_SECRET_FILE='/nonexistent' cannot be read: No such"),
    (("doctor",), {"TURN_SECRET": "x", "TURN_SECRET_FILE": "y"}, "TURN_SECRET and TURN_SECRET_FILE are both set"),
    (("runspaces", "--demo"), {"MEDIA_BIND": "eth0"}, "MEDIA_BIND='eth0' is not an IP address"),
    (("runmedia", "--port", "-1"), {}, "--port is a whole number from 0 to 65535, not '-1'"),
    (("runspaces", "--demo", "--web-port", "99999"), {}, "--web-port is a whole number from 1 to 65535, not '99999'"),
]


@pytest.mark.parametrize(
    ("arguments", "variables", "words"),
    [pytest.param(*one, marks=() if number % 3 == 0 else pytest.mark.proof) for number, one in enumerate(WRONG)],
    ids=lambda value: " ".join(value),
)  # each is a process of its own: the rest of them with `make proof`
def test_a_wrong_value_is_one_line(
    arguments: tuple[str, ...], variables: dict[str, str], words: str, tmp_path: Path
) -> None:
    environment = os.environ | {"VAR_DIR": str(tmp_path)} | variables
    done = subprocess.run(
        [sys.executable, "manage.py", *arguments], cwd=CHECKOUT, env=environment,
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    assert words in done.stderr
    assert done.stderr.count("\n") == 1
    assert done.stdout == ""


@pytest.mark.parametrize(
    "command",
    [
        ("daphne", "spaces_project.asgi:application"),
        ("celery", "-A", "spaces_project", "worker"),
        ("celery", "-A", "spaces_project", "beat"),
    ],
    ids=" ".join,
)
def test_so_it_is_with_the_programs_of_others(command: tuple[str, ...], tmp_path: Path) -> None:
    environment = os.environ | {"VAR_DIR": str(tmp_path), "WEB_PORT": "eighty"}
    program = Path(sys.executable).with_name(command[0])
    done = subprocess.run(
        [program, *command[1:]], cwd=CHECKOUT, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 1, done.stderr
    assert done.stderr == f"{command[0]}: WEB_PORT='eighty' is not a port number\n"


@pytest.mark.parametrize(
    ("command", "option", "value"),
    [
        ("runmedia", "http_port", "65536"),
        ("runmedia", "port", "eighty"),
        ("runspaces", "web_port", "0"),
        ("runspaces", "media_port", "-1"),
        ("runspaces", "media_http_port", "²"),
    ],
)
def test_an_option_that_is_no_port(command: str, option: str, value: str) -> None:
    wrong: dict[str, Any] = {option: value}
    with pytest.raises(CommandError, match=f"--{option.replace('_', '-')} is a whole number from . to 65535, not"):
        call_command(command, **wrong)

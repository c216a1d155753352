"""Grants and the bearer token of a node have keys of their own, so that neither opens the other's door."""

import hashlib
import hmac
import subprocess
import time

import pytest

from rooms.media.contract import grant
from rooms.media.contract.keys import bearer, grant_key

SECRET = "one of the site"


def test_the_keys_differ_from_each_other_and_from_the_secret() -> None:
    assert len({SECRET, grant_key(SECRET).hex(), bearer(SECRET).removeprefix("Bearer ")}) == 3
    assert bearer(SECRET) != bearer("another")


@pytest.mark.parametrize("key", [SECRET.encode(), bearer(SECRET).removeprefix("Bearer ").encode()])
def test_a_program_that_reads_the_bearer_token_cannot_sign_a_grant(key: bytes) -> None:
    now = time.time()
    payload = grant.mint(SECRET, "space", "hana", now).partition(".")[0]
    forged = f"{payload}.{grant._encode(hmac.digest(key, payload.encode(), hashlib.sha256))}"
    with pytest.raises(grant.GrantRefused, match="wrong signature"):
        grant.read(SECRET, forged, now)


def test_the_token_is_no_secret_of_grants() -> None:
    now = time.time()
    with pytest.raises(grant.GrantRefused, match="wrong signature"):
        grant.read(SECRET, grant.mint(bearer(SECRET).removeprefix("Bearer "), "space", "hana", now), now)


def test_the_command_of_the_docs_prints_the_bearer_token() -> None:
    command = 'printf "spaces node bearer" | openssl dgst -sha256 -hmac "$MEDIA_SECRET" -r | cut -d" " -f1'
    done = subprocess.run(
        command, shell=True, env={"MEDIA_SECRET": SECRET, "PATH": "/usr/bin:/bin"}, capture_output=True, text=True,
        check=True,
    )  # fmt: skip
    assert f"Bearer {done.stdout.strip()}" == bearer(SECRET)

"""Signatures of folders: expired ones, those of other folders, and texts that are no signature."""

import base64
import hashlib

import pytest

from rooms.media.hls.signature import SECONDS, folder, refusal, sign

NOW = 1_790_000_000.5
FOLDER = folder("secret", "a space")


def test_a_signature_opens_its_folder_for_fifteen_seconds() -> None:
    signed = sign("secret", FOLDER, NOW)
    assert refusal("secret", FOLDER, signed, NOW) is None
    assert refusal("secret", FOLDER, signed, NOW + SECONDS - 1) is None
    assert refusal("secret", FOLDER, signed, NOW + SECONDS + 1) == "expired"


def test_it_opens_no_other_folder() -> None:
    assert refusal("secret", folder("secret", "another space"), sign("secret", FOLDER, NOW), NOW) == "forged"


def test_another_secret_signs_nothing() -> None:
    assert refusal("secret", FOLDER, sign("guess", FOLDER, NOW), NOW) == "forged"


def test_the_time_cannot_be_put_off() -> None:
    expires, _, signature = sign("secret", FOLDER, NOW).partition("-")
    assert refusal("secret", FOLDER, f"{int(expires) + 60}-{signature}", NOW) == "forged"


@pytest.mark.parametrize("signed", ["", "-", "1790000015", "1790000015-", "-abc", "١٢٣-abc", "9" * 400 + "-abc", "a-é"])
def test_what_is_no_signature_opens_nothing(signed: str) -> None:
    assert refusal("secret", FOLDER, signed, NOW) == "forged"


def test_it_is_what_nginx_computes() -> None:
    """`openssl md5 -binary | openssl base64 | tr +/ -_ | tr -d =`, as the documentation of secure_link has it."""
    expires, _, signature = sign("secret", FOLDER, NOW).partition("-")
    digest = hashlib.md5(f"{expires} {FOLDER} secret".encode(), usedforsecurity=False).digest()
    assert signature == base64.b64encode(digest).decode().replace("+", "-").replace("/", "_").replace("=", "")


def test_the_folder_is_the_same_on_every_node_and_reveals_nothing() -> None:
    assert folder("secret", "a space") == FOLDER
    assert folder("other", "a space") != FOLDER
    assert "space" not in FOLDER
    assert len(FOLDER) == 24

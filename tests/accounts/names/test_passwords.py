"""Passwords: which are refused, and that all others are taken as they are."""

import pytest
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.test import Client
from pytest_django import Settings

from accounts.models import User


def refused(password: str) -> bool:
    try:
        validate_password(password)
    except ValidationError:
        return True
    return False


@pytest.mark.parametrize("password", ["spaces12345", "SpacesSpaces1", "Admin-Spaces", "passwordroom", "audiospaces99"])
def test_words_of_the_site_do_not_make_a_password_long(password: str) -> None:
    assert refused(password)


def test_the_name_of_the_site_is_such_a_word(settings: Settings) -> None:
    assert not refused("nachtfalter1")
    settings.PUBLIC_URL = "https://nachtfalter.example.org"
    assert refused("nachtfalter1")


@pytest.mark.parametrize("password", ["qwertyuiop", "1q2w3e4r5t", "iloveyou123", "0123456789"])
def test_common_passwords_are_refused(password: str) -> None:
    assert refused(password)


@pytest.mark.parametrize(
    "password", ["zwölf kleine boote", "UPPER CASE ONLY", "🦊🦊🦊🦊🦊🦊🦊🦊🦊🦊", "spaces of my own garden"]
)
def test_any_characters_make_a_password(password: str) -> None:
    assert not refused(password)


@pytest.mark.parametrize("password", ["  spaces at both ends kept  ", "x" * 64, "y" * 128, "MiXeD cAsE kept"])
def test_a_password_is_taken_as_it_is(db: None, password: str) -> None:
    form = {"username": "kim_1", "password1": password, "password2": password}
    Client().post("/accounts/signup/", form)
    kim = User.objects.get(handle="kim_1")
    assert kim.check_password(password)
    assert not kim.check_password(password.strip().lower() + "!")
    assert not any(
        kim.check_password(other) for other in {password.strip(), password.lower(), password[:-1]} - {password}
    )


@pytest.mark.parametrize("path", ["/accounts/signup/", "/accounts/login/"])
def test_fields_are_masked_and_take_what_is_pasted(db: None, path: str) -> None:
    page = Client().get(path).content.decode()
    fields = [field for field in page.split("<input") if "password" in field.split(">")[0]]
    assert fields
    assert all('type="password"' in field.split(">")[0] for field in fields)
    assert all("autocomplete=" in field.split(">")[0] for field in fields)
    assert "onpaste" not in page

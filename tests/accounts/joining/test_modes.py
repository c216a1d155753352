"""Who may make an account: all, people with a link, or no one."""

import re
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from accounts.models import SignupLink, User
from tests.conftest import PASSWORD

pytestmark = pytest.mark.django_db(transaction=True)
FORM = {"username": "kim_1", "password1": PASSWORD, "password2": PASSWORD}


@pytest.fixture
def invited(settings: Settings) -> None:
    settings.SIGNUP_MODE = "invited"


def sign_up(client: Client, **fields: str) -> bool:
    """Whether the form makes an account."""
    before = User.objects.count()
    client.post("/accounts/signup/", FORM | fields)
    return User.objects.count() > before


def link() -> str:
    out = StringIO()
    call_command("invite_member", stdout=out)
    return out.getvalue().strip()


def test_an_open_site_takes_all(client: Client) -> None:
    assert sign_up(client)


@pytest.mark.parametrize(("mode", "said"), [("closed", "takes no new members"), ("invited", "You need an invitation")])
def test_others_take_no_one_without_a_link_and_say_so(client: Client, settings: Settings, mode: str, said: str) -> None:
    settings.SIGNUP_MODE = mode
    assert said in client.get("/accounts/signup/").content.decode()
    assert not sign_up(client)
    assert "/accounts/signup/" not in client.get("/").content.decode()


def test_a_link_makes_one_account(invited: None) -> None:
    address = re.sub("https?://[^/]+", "", link())
    first, second = Client(), Client()
    assert first.get(address).status_code == 200
    assert second.get(address).status_code == 200  # both have the form before one of them sends it
    assert sign_up(first)
    assert not sign_up(second, username="kim_2")
    assert "You need an invitation" in second.get(address).content.decode()


def test_a_mistake_in_the_form_does_not_use_up_the_link(client: Client, invited: None) -> None:
    client.get(re.sub("https?://[^/]+", "", link()))
    assert not sign_up(client, password2="something else")
    assert sign_up(client)


def test_an_old_link_and_an_invented_one_make_none(client: Client, invited: None) -> None:
    address = re.sub("https?://[^/]+", "", link())
    SignupLink.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    for one in (address, "/accounts/signup/?invite=", "/accounts/signup/?invite=%00", "/accounts/signup/?invite=a" * 9):
        client.get(one)
        assert not sign_up(client)


def test_a_closed_site_takes_no_link(client: Client, invited: None, settings: Settings) -> None:
    address = re.sub("https?://[^/]+", "", link())
    settings.SIGNUP_MODE = "closed"
    client.get(address)
    assert not sign_up(client)


def test_no_row_holds_a_key(invited: None) -> None:
    key = link().split("invite=")[1]
    assert key not in str(SignupLink.objects.values())


@pytest.mark.parametrize("wrong", [{"days": 0}, {"days": 91}, {"links": 0}, {"links": 1001}])
def test_numbers_that_make_no_sense_are_refused(invited: None, wrong: dict[str, int]) -> None:
    with pytest.raises(CommandError, match="has to be"):
        call_command("invite_member", **wrong)
    assert not SignupLink.objects.exists()


def test_the_command_says_that_links_would_not_work() -> None:
    with pytest.raises(CommandError, match="SIGNUP_MODE is open"):
        call_command("invite_member")

"""Who enters the admin: staff in good standing, with a second factor, 12 hours at most and in use."""

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value, yield_hotp_counters_from_time
from django.contrib import admin
from django.test import Client
from django.urls import NoReverseMatch, reverse
from django.utils import timezone

from accounts.models import User
from accounts.sessions.second_factor import IDLE, LONGEST, SEEN
from moderation.models import Case
from tests.conftest import PASSWORD
from tests.moderation.conftest import _empty_redis, case, host, listener, open_space, report, reviewer, speaker, tea
from tests.rig.second_factor import with_second_factor

__all__ = ["_empty_redis", "case", "host", "listener", "open_space", "report", "reviewer", "speaker", "tea"]
INDEX = "/admin/"
SECRET = "JBSWY3DPEHPK3PXP"


@pytest.fixture
def root(db: None) -> User:
    """A superuser without a second factor."""
    return User.objects.create_superuser("root", PASSWORD)


@pytest.fixture
def app(root: User) -> TOTP:
    """The authenticator app of root."""
    return TOTP.activate(root, SECRET)


def code(secret: str = SECRET) -> str:
    """What the app shows now."""
    return format_hotp_value(hotp_value(secret, next(yield_hotp_counters_from_time())))


def log_in_by_password(client: Client, after: str = INDEX) -> Any:
    return client.post(f"/accounts/login/?next={after}", {"login": "root", "password": PASSWORD})


def aged(client: Client, person: User, age: float, seen: float) -> Client:
    """A browser whose person logged in `age` seconds ago, and used a staff page `seen` seconds ago."""
    client.force_login(person)
    with_second_factor(client, person, age)
    session = client.session
    session[SEEN] = time.time() - seen
    session.save()
    return client


# The pages


def test_the_admin_shows_our_models_and_no_others() -> None:
    """Pages of libraries show API keys and second factors, and change rights without a trace."""
    assert {model._meta.label for model in admin.site._registry} == {
        "accounts.User",
        "accounts.Follow",
        "accounts.Block",
        "recordings.Recording",
        "recordings.Track",
        "recordings.Hold",
        "recordings.Receipt",
        "moderation.Case",
        "moderation.AuditEvent",
        "moderation.MetadataReceipt",
    }


@pytest.mark.parametrize("model", ["authtoken/tokenproxy", "mfa/authenticator", "account/emailaddress", "auth/group"])
def test_superusers_read_no_secret_of_a_library(log_in: Callable[[User], Client], root: User, model: str) -> None:
    assert log_in(root).get(f"{INDEX}{model}/").status_code == 404


def test_the_password_is_changed_on_the_site_alone() -> None:
    with pytest.raises(NoReverseMatch):
        reverse("admin:password_change")


# The second factor


def test_a_password_alone_opens_no_staff_page(client: Client, root: User) -> None:
    assert log_in_by_password(client).url == INDEX
    answer = client.get(INDEX, follow=True)
    assert [page.split("?")[0] for page, _status in answer.redirect_chain] == [
        "/admin/login/",
        "/accounts/2fa/totp/activate/",
        "/accounts/reauthenticate/",  # the password again: a browser left open sets up no second factor
    ]
    assert "Staff pages need a second factor" in answer.content.decode()


@pytest.mark.django_db(transaction=True)
def test_setting_the_app_up_opens_them(client: Client) -> None:
    User.objects.create_superuser("root", PASSWORD)
    log_in_by_password(client)
    set_up = "/accounts/2fa/totp/activate/"
    page = client.post(f"/accounts/reauthenticate/?next={set_up}", {"password": PASSWORD, "next": set_up}, follow=True)
    client.post(set_up, {"code": code(page.context["form"].secret)})
    assert Authenticator.objects.filter(user__handle="root", type="totp").exists()
    assert client.get(INDEX).status_code == 200


def test_a_log_in_with_a_code_opens_them(client: Client, app: TOTP) -> None:
    assert log_in_by_password(client).url.startswith("/accounts/2fa/authenticate/")
    assert client.get(INDEX).status_code == 302
    assert client.post("/accounts/2fa/authenticate/", {"code": code()}).url == INDEX  # type: ignore[attr-defined]
    assert client.get(INDEX).status_code == 200


def test_a_recovery_code_counts(client: Client, root: User, app: TOTP) -> None:
    one = RecoveryCodes.activate(root).get_unused_codes()[0]
    log_in_by_password(client)
    client.post("/accounts/2fa/authenticate/", {"code": one})
    assert client.get(INDEX).status_code == 200


def test_who_has_the_app_is_asked_for_a_code_and_led_back(client: Client, root: User, app: TOTP) -> None:
    """A session from before the app was set up, for instance."""
    client.force_login(root)
    session = client.session
    with_second_factor(client, root)
    session = client.session
    session["account_authentication_methods"] = session["account_authentication_methods"][:1]
    session.save()
    answer = client.get(f"{INDEX}accounts/user/", follow=True)
    [last, _status] = answer.redirect_chain[-1]
    assert last == "/accounts/2fa/reauthenticate/?next=/admin/accounts/user/"
    asked = {"code": code(), "next": "/admin/accounts/user/"}
    answer = client.post(last, asked, follow=True)
    assert answer.redirect_chain == [("/admin/accounts/user/", 302)]
    assert answer.status_code == 200


def test_a_new_password_on_the_way_is_no_second_factor(client: Client, root: User, app: TOTP) -> None:
    aged(client, root, age=60, seen=60)
    session = client.session
    session["account_authentication_methods"] = [
        {"method": "password", "at": time.time()},
        {"method": "password", "at": time.time(), "reauthenticated": True},
    ]
    session.save()
    assert client.get(INDEX).status_code == 302


def test_the_factor_of_another_person_in_the_same_browser_does_not_count(client: Client, root: User, mo: User) -> None:
    aged(client, root, age=60, seen=60)
    session = client.session
    session["account_authentication_methods_user"] = str(mo.pk)
    session.save()
    assert client.get(INDEX).status_code == 302


# The end


@pytest.mark.parametrize(
    ("age", "seen", "opens"),
    [
        (60, 60, True),
        (LONGEST - 60, IDLE - 60, True),
        (LONGEST - 60, IDLE + 60, False),
        (LONGEST + 60, 60, False),
        (IDLE + 60, IDLE + 60, False),
    ],
)
def test_they_close_after_twelve_hours_and_after_thirty_minutes_unused(
    client: Client, root: User, app: TOTP, age: float, seen: float, opens: bool
) -> None:
    answer = aged(client, root, age, seen).get(INDEX)
    assert answer.status_code == (200 if opens else 302)


def test_after_thirty_minutes_the_code_is_asked_for_and_the_log_in_stays(client: Client, root: User, app: TOTP) -> None:
    answer = aged(client, root, age=7200, seen=IDLE + 60).get(INDEX, follow=True)
    assert answer.redirect_chain[-1][0] == "/accounts/2fa/reauthenticate/?next=/admin/"
    assert answer.context["user"] == root
    client.post("/accounts/2fa/reauthenticate/", {"code": code(), "next": INDEX})
    assert client.get(INDEX).status_code == 200


def test_after_twelve_hours_the_session_ends(client: Client, root: User, app: TOTP) -> None:
    answer = aged(client, root, age=LONGEST + 60, seen=60).get(INDEX, follow=True)
    assert answer.redirect_chain[-1][0] == "/accounts/login/?next=/admin/"
    assert "12 hours after the log-in" in answer.content.decode()
    assert "_auth_user_id" not in client.session


def test_use_is_noted_to_the_minute(client: Client, root: User) -> None:
    aged(client, root, age=7200, seen=120).get(INDEX)
    noted = client.session[SEEN]
    assert time.time() - noted < 10
    client.get(INDEX)
    assert client.session[SEEN] == noted, "a session is not written for each request"


def test_a_form_sent_too_late_leads_back_to_its_page(client: Client, case: Case, reviewer: User) -> None:
    TOTP.activate(reviewer, SECRET)
    desk = f"{INDEX}moderation/case/{case.pk}/"
    aged(client, reviewer, age=7200, seen=IDLE + 60)
    answer = client.post(f"{desk}claim/", headers={"Referer": f"http://testserver{desk}change/"})
    assert answer.url == f"/admin/login/?next={desk}change/"  # type: ignore[attr-defined]
    answer = client.post(f"{desk}claim/", headers={"Referer": "https://example.org/admin/"})
    assert answer.url == "/admin/login/?next=/admin/"  # type: ignore[attr-defined]
    case.refresh_from_db()
    assert case.state == Case.State.NEW


# Refusals


@pytest.mark.parametrize("change", [{"is_staff": False}, {"is_active": False}])
def test_who_is_staff_no_longer_is_out_at_once(
    log_in: Callable[[User], Client], root: User, change: dict[str, bool]
) -> None:
    browser = log_in(root)
    assert browser.get(INDEX).status_code == 200
    User.objects.filter(pk=root.pk).update(**change)
    assert browser.get(INDEX, follow=True).request["PATH_INFO"] != INDEX


@pytest.mark.parametrize("superuser", [False, True])
def test_suspended_staff_enter_nothing(
    log_in: Callable[[User], Client], reviewer: User, case: Case, superuser: bool
) -> None:
    User.objects.filter(pk=reviewer.pk).update(is_superuser=superuser)
    browser = log_in(User.objects.get(pk=reviewer.pk))
    reviewer.suspend(timezone.now() + timedelta(days=1))
    for page in ("", "accounts/user/", "moderation/case/", f"moderation/case/{case.pk}/change/"):
        assert browser.get(INDEX + page, follow=True).status_code == 403
    assert browser.post(f"{INDEX}moderation/case/{case.pk}/claim/", follow=True).status_code == 403


@pytest.mark.parametrize("after", ["https://example.org/", "//example.org", "javascript:alert(1)"])
def test_the_way_back_stays_on_the_site(log_in: Callable[[User], Client], root: User, after: str) -> None:
    assert log_in(root).get("/admin/login/", {"next": after}).url == INDEX  # type: ignore[attr-defined]

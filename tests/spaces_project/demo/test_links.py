"""The links of a demonstration: a click logs in, on this machine, until it stops; nothing else does."""

import os
import subprocess
import sys
from typing import Any

import pytest
from channels.testing import HttpCommunicator
from django.conf import LazySettings
from django.core.handlers.asgi import ASGIHandler
from django.http import HttpResponse
from django.test import Client

from accounts import signals
from accounts.models import User
from rooms.models import Space
from spaces_project.demo import links
from spaces_project.demo.people import CAST
from spaces_project.proxies import TrustedProxies
from tests.rig import demo_urls
from tests.rig.machine import CHECKOUT

pytestmark = pytest.mark.django_db
SECRET = "the secret of this start, which tests know"
HERE = {"REMOTE_ADDR": "127.0.0.1", "HTTP_HOST": "localhost:8000"}
FORWARDED = [
    "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-Port", "X-Forwarded-Server",
    "X-Forwarded", "Forwarded", "Via", "X-Real-IP", "True-Client-IP", "X-Client-IP", "Client-IP",
    "X-Cluster-Client-IP", "CF-Connecting-IP", "Fly-Client-IP", "X-ProxyUser-Ip", "X-Original-Forwarded-For",
    "Forwarded-For", "X-Envoy-External-Address", "X-Azure-ClientIP", "X-Appengine-User-Ip", "X-Original-Host", "CF-Ray",
    "CDN-Loop", "X-Amzn-Trace-Id", "X-Amz-Cf-Id", "X-Coming-From", "Tailscale-User-Login", "X-Remote-Addr",
]  # fmt: skip


@pytest.fixture(autouse=True)
def _demo(settings: LazySettings) -> None:
    settings.ROOT_URLCONF, settings.DEMO, settings.DEMO_LINK_SECRET = demo_urls.__name__, True, SECRET


@pytest.fixture
def browser() -> Client:
    return Client(**HERE)  # type: ignore[arg-type]


def is_logged_in(client: Client, handle: str) -> bool:
    return bool(client.session.get("_auth_user_id") == str(User.objects.get(handle=handle).pk))


def is_logged_out(client: Client) -> bool:
    return "_auth_user_id" not in client.session


# What they do
def test_the_link_of_mo_counts_as_a_second_factor_in_a_demonstration_alone(
    browser: Client, mo: User, lior: User, settings: LazySettings
) -> None:
    browser.get(links.path(SECRET, "mo"))
    assert browser.get("/admin/").status_code == 200
    browser.get(links.path(SECRET, "lior"))
    browser.logout()
    settings.DEMO = False
    browser.get(links.path(SECRET, "mo"))
    assert browser.get("/admin/").status_code == 302


def test_a_click_as_lior_leads_into_the_live_space(browser: Client, lior: User) -> None:
    iris = User.objects.create_user("iris", may_host=True)
    lior.follow(iris)
    garden = Space.open(iris, title="The roof garden", audience=Space.Audience.FOLLOWERS)
    answer = browser.get(links.path(SECRET, "lior"))
    assert (answer.status_code, answer.url) == (302, f"/spaces/{garden.pk}/")  # type: ignore[attr-defined]
    assert is_logged_in(browser, "lior")


def test_a_click_as_lior_leads_home_if_nothing_is_live(browser: Client, lior: User) -> None:
    assert browser.get(links.path(SECRET, "lior")).url == "/"  # type: ignore[attr-defined]


def test_a_click_as_hana_leads_to_a_form_that_is_filled_in(browser: Client, hana: User) -> None:
    page = browser.get(links.path(SECRET, "hana"), follow=True)
    assert page.redirect_chain[0][0].startswith("/spaces/new/?title=")
    assert 'value="An evening at Hana&#x27;s"' in page.content.decode()


def test_a_click_as_mo_leads_to_the_queue_of_cases(browser: Client, mo: User) -> None:
    assert browser.get(links.path(SECRET, "mo")).url == "/admin/moderation/case/"  # type: ignore[attr-defined]


def test_it_logs_in_again_and_instead_of_another_member(browser: Client, lior: User, dee: User) -> None:
    browser.get(links.path(SECRET, "lior"))
    before = browser.session.session_key
    browser.get(links.path(SECRET, "dee"))
    assert is_logged_in(browser, "dee")
    browser.get(links.path(SECRET, "lior"))
    assert is_logged_in(browser, "lior")
    assert browser.session.session_key != before


def test_pages_of_the_member_before_hear_of_the_end(browser: Client, lior: User, dee: User) -> None:
    ended: list[User] = []

    def note(user: User, **kwargs: Any) -> None:
        ended.append(user)

    signals.sessions_ended.connect(note)
    try:
        for handle in ("lior", "lior", "dee"):
            browser.get(links.path(SECRET, handle))
    finally:
        signals.sessions_ended.disconnect(note)
    assert ended == [lior]


def test_nothing_of_it_is_kept_or_passed_on(browser: Client, lior: User) -> None:
    answer = browser.get(links.path(SECRET, "lior"))
    assert "no-store" in answer["Cache-Control"]
    assert answer["Referrer-Policy"] == "no-referrer"


@pytest.mark.parametrize("peer", ["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1"])
@pytest.mark.parametrize("host", ["localhost", "localhost:8000", "127.0.0.1:8000", "[::1]:8000"])
def test_this_machine_has_several_names(lior: User, peer: str, host: str) -> None:
    browser = Client(REMOTE_ADDR=peer, HTTP_HOST=host)
    assert browser.get(links.path(SECRET, "lior")).status_code == 302
    assert is_logged_in(browser, "lior")


def test_what_a_browser_says_of_a_click_is_right(browser: Client, lior: User) -> None:
    clicked = {"Sec-Fetch-Site": "none", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
    assert browser.get(links.path(SECRET, "lior"), headers=clicked).status_code == 302


# What they refuse
@pytest.mark.parametrize("header", FORWARDED)
def test_not_through_a_proxy(browser: Client, lior: User, header: str) -> None:
    for value in ("127.0.0.1", ""):
        answer = browser.get(links.path(SECRET, "lior"), headers={header: value})
        assert answer.status_code == 404
        assert is_logged_out(browser)


def test_not_on_a_connection_for_one_request(browser: Client, lior: User) -> None:
    """As nginx asks with `proxy_http_version 1.1` and nothing else: no header says that it passes the request on."""
    assert browser.get(links.path(SECRET, "lior"), headers={"Connection": "close"}).status_code == 404
    assert "/demo/as/" not in browser.get("/", headers={"Connection": "close"}).content.decode()
    assert browser.get(links.path(SECRET, "lior"), headers={"Connection": "keep-alive"}).status_code == 302


@pytest.mark.parametrize("peer", ["192.0.2.7", "10.0.0.1", "0.0.0.0", "2001:db8::1", "::ffff:192.0.2.7", "", "unknown"])
def test_not_for_another_machine(lior: User, peer: str) -> None:
    browser = Client(REMOTE_ADDR=peer, HTTP_HOST="localhost:8000")
    assert browser.get(links.path(SECRET, "lior")).status_code == 404
    assert is_logged_out(browser)


@pytest.mark.parametrize("host", ["spaces.example.org", "127.0.0.1.example.org", "localhost.example.org", "192.0.2.7"])
def test_not_under_a_foreign_name(settings: LazySettings, lior: User, host: str) -> None:
    """A page of another site can give its own name our address, and then read what comes from here."""
    settings.ALLOWED_HOSTS = ["*"]
    browser = Client(REMOTE_ADDR="127.0.0.1", HTTP_HOST=host)
    assert browser.get(links.path(SECRET, "lior")).status_code == 404
    assert is_logged_out(browser)


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Purpose": "prefetch"},
        {"Sec-Purpose": "prefetch;prerender"},
        {"Purpose": "prefetch"},
        {"X-Purpose": "preview"},
        {"X-Moz": "prefetch"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Mode": "cors"},
        {"Sec-Fetch-Mode": "no-cors"},
        {"Sec-Fetch-Dest": "image"},
        {"Sec-Fetch-Dest": "iframe"},
    ],
)
def test_not_without_a_click(browser: Client, lior: User, headers: dict[str, str]) -> None:
    answer = browser.get(links.path(SECRET, "lior"), headers=headers)
    assert answer.status_code == 403
    assert is_logged_out(browser)


@pytest.mark.parametrize("method", ["head", "post", "put", "delete", "options", "patch"])
def test_not_with_another_method(browser: Client, lior: User, method: str) -> None:
    assert getattr(browser, method)(links.path(SECRET, "lior")).status_code == 405
    assert is_logged_out(browser)


@pytest.mark.parametrize(
    "path",
    [
        links.path("the secret of an earlier start", "lior"),
        links.path(SECRET, "dee").replace("/dee/", "/lior/"),
        links.path(SECRET, "lior").replace("/lior/", "/LIOR/"),
        links.path("", "lior"),
        "/demo/as/lior/x/",
        "/demo/as/lior/ü/",
    ],
)
def test_not_with_another_token(browser: Client, lior: User, path: str) -> None:
    answer = browser.get(path)
    assert answer.status_code == 410
    assert "earlier start" in answer.content.decode()
    assert is_logged_out(browser)


def test_not_without_a_secret(settings: LazySettings, browser: Client, lior: User) -> None:
    settings.DEMO_LINK_SECRET = ""
    assert browser.get(links.path("", "lior")).status_code == 410
    assert is_logged_out(browser)


def test_not_for_a_member_who_is_locked_out(browser: Client, lior: User) -> None:
    lior.deactivate()
    answer = browser.get(links.path(SECRET, "lior"))
    assert answer.status_code == 403
    assert "can no longer log in" in answer.content.decode()
    assert is_logged_out(browser)


def test_not_for_a_member_who_does_not_exist(browser: Client) -> None:
    assert browser.get(links.path(SECRET, "unknown")).status_code == 403


# Through the whole way in
async def asked(path: str, header: str = "", trusted: tuple[str, ...] = (), version: str = "1.1") -> int:
    """The status of an answer behind the middleware that takes forwarding headers away."""
    headers = [(b"host", b"localhost:8000"), *([(header.lower().encode(), b"127.0.0.1")] if header else [])]
    asking = HttpCommunicator(TrustedProxies(ASGIHandler(), trusted), "GET", path, headers=headers)
    asking.scope |= {"client": ["127.0.0.1", 5000], "server": ["127.0.0.1", 8000], "scheme": "http"}
    asking.scope["http_version"] = version
    status = int((await asking.get_response(timeout=20))["status"])
    await asking.wait()
    return status


@pytest.mark.django_db(transaction=True)
async def test_headers_that_were_taken_away_are_remembered(lior: User) -> None:
    path = links.path(SECRET, "lior")
    assert await asked(path) == 302
    for header in FORWARDED:
        assert await asked(path, header) == 404, header
        assert await asked(path, header, ("127.0.0.1",)) == 404, header


# Without --demo
ROUTED = """
import django; django.setup()
from django.urls import NoReverseMatch, Resolver404, resolve, reverse
try: print(resolve('/demo/as/lior/x/').url_name, reverse('demo_welcome'))
except (Resolver404, NoReverseMatch) as error: print(type(error).__name__)
"""


@pytest.mark.parametrize(
    ("demo", "secret", "routed"),
    [("1", SECRET, "demo_enter /"), ("0", SECRET, "Resolver404"), ("1", "", "Resolver404"), ("0", "", "Resolver404")],
)
def test_only_a_demonstration_has_the_address(demo: str, secret: str, routed: str) -> None:
    wanted = {
        "SPACES_DEMO": demo,
        "SPACES_DEMO_LINK_SECRET": secret,
        "DJANGO_SETTINGS_MODULE": "spaces_project.settings",
    }
    done = subprocess.run(
        [sys.executable, "-c", ROUTED],
        cwd=CHECKOUT,
        env=os.environ | wanted,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.strip() == routed, done.stderr


def test_without_demo_the_path_is_not_found(settings: LazySettings, browser: Client, lior: User) -> None:
    settings.ROOT_URLCONF = "spaces_project.urls"
    assert browser.get(links.path(SECRET, "lior")).status_code == 404
    assert "one click" not in browser.get("/").content.decode()


# The welcome page
@pytest.fixture
def cast(hana: User, sol: User, lior: User, dee: User, mo: User) -> list[str]:
    return [member.handle for member in CAST]


def test_the_welcome_page_has_the_links_and_says_who_is_who(browser: Client, cast: list[str]) -> None:
    answer = browser.get("/")
    page = answer.content.decode()
    assert all(links.path(SECRET, handle) in page for handle in cast)
    assert all(str(member.part) in page.replace("&#x27;", "'") for member in CAST)
    assert "private window" in page
    assert "headphones" in page
    assert "no-store" in answer["Cache-Control"]


def test_the_welcome_page_is_german_for_germans(browser: Client, cast: list[str]) -> None:
    page = browser.get("/", headers={"Accept-Language": "de"}).content.decode()
    assert "Als Lior einen Space hören" in page
    assert "Kopfhörer" in page


@pytest.mark.parametrize("headers", [{"X-Forwarded-For": "127.0.0.1"}, {"Host": "testserver"}])
def test_others_see_the_ordinary_page_without_links(browser: Client, cast: list[str], headers: dict[str, str]) -> None:
    page = browser.get("/", headers=headers).content.decode()
    assert "/demo/as/" not in page
    assert "Talk live with the people who follow you" in page


def test_a_member_sees_home(browser: Client, cast: list[str], lior: User) -> None:
    browser.force_login(lior)
    answer: HttpResponse | Any = browser.get("/")
    assert "/demo/as/" not in answer.content.decode()
    assert "Live now for you" in answer.content.decode()

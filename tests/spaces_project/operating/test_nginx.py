"""The nginx configuration of docs/operating/tls.md, started as it stands there but for names, ports and paths."""

import os
import signal
import subprocess
import sys
from base64 import b64encode
from collections.abc import Iterator
from http.client import HTTPResponse
from secrets import token_bytes
from time import time
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.test import Client
from pytest_django import DjangoDbBlocker

from accounts.models import User
from accounts.pictures.avatars import UPLOAD_BYTES
from rooms.media.hls.signature import SECONDS, folder, sign
from spaces_project.machine.processes import spawn, stop, with_patience
from tests.rig.machine import CHECKOUT, free_port
from tests.rig.services.nginx import HLS_SECRET, HOST, PATIENCE, Site, answers, ask, configuration, running

TEA = folder(HLS_SECRET, "tea")

pytestmark = [pytest.mark.alone, pytest.mark.django_db, pytest.mark.needs_nginx]


@pytest.fixture(scope="module")
def session(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[str]:
    """The session cookie of hana, who has logged in; in the database for all tests of this file."""
    with django_db_blocker.unblock():
        hana = User.objects.create_user("hana", "correct horse battery")
        client = Client()
        client.force_login(hana)
        yield client.cookies["sessionid"].value
        hana.delete()


@pytest.fixture(scope="module")
def site(session: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Daphne on the database of the tests, nginx before it."""
    folder = tmp_path_factory.mktemp("nginx")
    site = Site(folder, free_port(), free_port(), free_port(), f"sessionid={session}")
    database = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{settings.DATABASES['default']['NAME']}")
    environment = os.environ | {
        "VAR_DIR": str(folder / "var"),
        "DATABASE_URL": database.geturl(),
        "PUBLIC_URL": site.url,
        "ALLOWED_HOSTS": HOST,
        "TRUSTED_PROXIES": "127.0.0.1",
        "HLS_SECRET": HLS_SECRET,
    }
    collect = [sys.executable, "manage.py", "collectstatic", "--no-input", "--verbosity", "0"]
    subprocess.run(collect, cwd=CHECKOUT, env=environment, check=True)
    runweb = [sys.executable, "manage.py", "runweb", "--port", str(site.direct)]
    web = spawn(runweb, cwd=CHECKOUT, env=environment)
    try:
        assert with_patience(answers(site.direct), PATIENCE)
        with running(site, configuration(folder, site)):
            yield site
    finally:
        stop(web, (signal.SIGTERM, 5.0))


def upgrade(site: Site, origin: str) -> HTTPResponse:
    """Open a websocket (RFC 6455 section 4.1) as hana, from a page of `origin`."""
    headers = {"Origin": origin, "Cookie": site.cookie, "Connection": "Upgrade", "Upgrade": "websocket"}
    headers |= {"Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": b64encode(token_bytes(16)).decode()}
    return ask(site, "/ws/fleet/", headers=headers)


def test_a_page_comes_by_tls(site: Site) -> None:
    answer = ask(site, "/accounts/login/")
    assert answer.status == 200
    assert "max-age" in answer.headers["Strict-Transport-Security"]
    assert "secure" in answer.headers["Set-Cookie"].lower()


def test_http_is_sent_to_https(site: Site) -> None:
    answer = ask(site, "/accounts/login/", port=site.http)
    assert answer.status == 301
    assert answer.headers["Location"].startswith(f"https://{HOST}")


def test_static_files_come_from_nginx(site: Site) -> None:
    (site.folder / "var" / "static" / "probe.css").write_text("body { color: black }")
    answer = ask(site, "/static/probe.css")
    assert answer.status == 200
    assert "immutable" in answer.headers["Cache-Control"]
    assert answer.headers["Server"].startswith("nginx")
    assert ask(site, "/static/../beat-schedule").status == 404
    assert ask(site, "/static../beat-schedule").status == 404


def test_the_largest_picture_gets_through_and_much_more_does_not(site: Site) -> None:
    """Our side refuses what comes without the token of a form; nginx would say 413."""
    form = 64 * 1024  # what stands around the picture
    assert ask(site, "/me/profile/", body=bytes(UPLOAD_BYTES + form)).status == 403
    assert ask(site, "/me/profile/", headers={"Content-Length": str(UPLOAD_BYTES * 2)}).status == 413


def test_a_websocket_opens_through_it(site: Site) -> None:
    answer = upgrade(site, site.url)
    assert answer.status == 101
    assert answer.headers["Upgrade"].lower() == "websocket"


def test_a_websocket_of_another_site_is_refused(site: Site) -> None:
    assert upgrade(site, "https://evil.example").status == 403


def test_what_a_client_forwards_itself_is_not_passed_on(site: Site) -> None:
    """A client that says it came by HTTP would be redirected for ever; a made-up address would enter the limits."""
    claims = {"X-Forwarded-Proto": "http", "X-Forwarded-For": "127.0.0.1", "X-Forwarded-Host": "evil.example"}
    assert ask(site, "/accounts/login/", headers=claims).status == 200


def test_health_is_answered_without_tls_on_the_machine_itself(site: Site) -> None:
    assert ask(site, "/health", port=site.direct).status == 200
    assert ask(site, "/accounts/login/", port=site.direct).status == 301


@pytest.fixture
def tea(site: Site) -> str:
    """The folder of a Space that is heard as files, at both servers' hands."""
    here = site.folder / "var" / "hls" / TEA
    here.mkdir(parents=True, exist_ok=True)
    (here / "index.m3u8").write_text("#EXTM3U\n")
    (here / "name.m4s").write_bytes(bytes(1000))
    (here / ".part").write_bytes(b"half")
    return TEA


REFUSED = [
    ("{expired}/{tea}/index.m3u8", 410),
    ("{forged}/{tea}/index.m3u8", 403),
    ("{other}/{tea}/index.m3u8", 403),
    ("own/{tea}/index.m3u8", 403),
    ("{signed}/{tea}/gone.m4s", 404),
    ("{signed}/{tea}/.part", 404),
    ("{signed}/{tea}/../../manage.m3u8", 404),
]


@pytest.mark.parametrize("by", ["nginx", "the site itself"])
@pytest.mark.parametrize(("path", "status"), REFUSED)
def test_the_sound_is_refused_without_a_signature(site: Site, tea: str, path: str, status: int, by: str) -> None:
    now = time()
    signatures = {
        "expired": sign(HLS_SECRET, TEA, now - SECONDS - 2),
        "forged": sign("guess", TEA, now),
        "other": sign(HLS_SECRET, folder(HLS_SECRET, "other"), now),
        "signed": sign(HLS_SECRET, TEA, now),
    }
    port = None if by == "nginx" else site.direct
    answer = ask(site, f"/hls/{path.format(tea=tea, **signatures)}", port=port)
    assert answer.status == status
    assert answer.headers.get_all("Cache-Control") == ["no-store"], "or a CDN goes on refusing"


@pytest.mark.parametrize("by", ["nginx", "the site itself"])
@pytest.mark.parametrize("own", [False, True])
@pytest.mark.parametrize(
    ("file", "kind", "fresh"),
    [
        ("index.m3u8", "application/vnd.apple.mpegurl", "max-age=1"),
        ("name.m4s", "audio/mp4", "max-age=60, immutable"),
    ],
)
def test_the_sound_comes_with_a_signature(
    site: Site, tea: str, file: str, kind: str, fresh: str, own: bool, by: str
) -> None:
    """The signature is in the address, or in a cookie. nginx and the site answer alike."""
    signed = sign(HLS_SECRET, TEA, time())
    headers = {"Cookie": f"sessionid=none; hls={signed}"} if own else {}
    port = None if by == "nginx" else site.direct
    answer = ask(site, f"/hls/{'own' if own else signed}/{tea}/{file}", port=port, headers=headers)
    assert answer.status == 200
    assert answer.headers["Content-Type"] == kind
    assert answer.headers.get_all("Cache-Control") == [f"{'private' if own else 'public'}, {fresh}"]
    assert answer.headers.get("Server", "").startswith("nginx") == (by == "nginx")


@pytest.mark.parametrize("signed", ["{signed}", "own", "1-x"], ids=["given", "by cookie", "refused"])
def test_the_pages_may_read_what_a_cdn_passes_on(site: Site, tea: str, signed: str) -> None:
    """Only a page of the site, without cookies, may read them. It also sees the status of a refusal."""
    there = signed.format(signed=sign(HLS_SECRET, TEA, time()))
    answer = ask(site, f"/hls/{there}/{tea}/index.m3u8", headers={"Origin": "https://evil.example"})
    assert answer.headers.get_all("Access-Control-Allow-Origin") == [site.url]
    assert "Access-Control-Allow-Credentials" not in answer.headers


@pytest.mark.parametrize(("asked", "status"), [({"Range": "bytes=0-9"}, 206), ({"If-None-Match": "*"}, 304)])
def test_a_part_of_a_segment_may_be_kept_like_the_whole(
    site: Site, tea: str, asked: dict[str, str], status: int
) -> None:
    answer = ask(site, f"/hls/{sign(HLS_SECRET, TEA, time())}/{tea}/name.m4s", headers=asked)
    assert answer.status == status
    assert answer.headers["Cache-Control"] == "public, max-age=60, immutable"

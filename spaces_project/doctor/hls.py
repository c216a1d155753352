"""The doctor's check of the sound as files (HLS): can browsers fetch them, but only with a signature?"""

import shutil
import ssl
import time
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPException
from secrets import token_bytes, token_hex, token_urlsafe
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit

from django.conf import settings

from rooms.media.client.probe import put_file
from rooms.media.hls.signature import SECONDS, sign
from spaces_project.doctor.findings import Finding, bad, doubtful, good
from spaces_project.health import own_address, web_health

WHAT = "sound as files"
FILE = "probe.m4s"
WAIT_SECONDS = 5.0
MEND_START = "Start `manage.py runspaces`, or set WEB_HOST and WEB_PORT to those of the web process."
MEND_WAY = (
    "Start the web server in front, and check its name and certificate. If the router does not lead its public address"
    " back inside, add the site to /etc/hosts."
)
MEND_CDN = "Check HLS_URL, and the name and certificate of the server there."
MEND_SECRET = "Set the same HLS_SECRET for every process of Spaces and in the web server there."  # noqa: S105
MEND_CLOCK = "Run an NTP client (chrony) on every machine."
MEND_CHECK = "Check the signature before every answer, also before answers from a cache (docs/operating/hls.md)."
MEND_ELSEWHERE = (
    "Serve /hls/ from the folder HLS_DIR, or pass it to the web process of Spaces"
    " (docs/operating/tls.md#the-sound-as-files)."
)


@dataclass(frozen=True)
class Answer:
    """An answer. Status 0 means that there was none; `why` says the reason."""

    status: int
    body: bytes = b""
    origin: str = ""  # another origin that may read it
    why: str = ""


def sound_as_files() -> Iterator[Finding]:
    """Write a file like a media node, and fetch it like a browser."""
    if not settings.HLS:
        yield good(WHAT, "switched off")
        return
    yield _tried(token_urlsafe(18), token_bytes(32))


def _tried(folder: str, content: bytes) -> Finding:
    is_new = not settings.HLS_DIR.exists()
    try:
        put_file(settings.HLS_DIR, folder, FILE, content)
    except OSError as error:
        mend = "Set HLS_DIR to a folder in which media nodes and the user of the doctor may write."
        return bad(WHAT, f"{settings.HLS_DIR}: {error.strerror}", mend)
    try:
        return _judge(folder, content)
    finally:
        shutil.rmtree(settings.HLS_DIR / folder, ignore_errors=True)
        with suppress(OSError):  # a node has begun to write there meanwhile
            if is_new:  # perhaps as root: then no node could write there
                settings.HLS_DIR.rmdir()


def _judge(folder: str, content: bytes) -> Finding:
    now, base = time.time(), _base()
    given = _ask(folder, sign(settings.HLS_SECRET, folder, now))
    if given.status != 200:
        return _not_given(folder, given)
    if given.body != content:
        return bad(WHAT, f"{base} answers with something else", MEND_ELSEWHERE)
    wrong = {"a forged signature": sign(token_hex(16), folder, now), "an old signature": _old(folder)}
    for called, signed in wrong.items():
        if _ask(folder, signed).status == 200:
            return bad(WHAT, f"{base} also answers {called}", MEND_CHECK)
    if not settings.HLS_URL.startswith("/") and given.origin not in ("*", _origin()):
        mend = f"Add this header to its answers: Access-Control-Allow-Origin: {_origin()}"
        return bad(WHAT, f"{base} does not let pages of this site read them", mend)
    return good(WHAT, f"{base} serves them with our signature, and not without")


def _not_given(folder: str, given: Answer) -> Finding:
    """Why a request with our signature gets no file."""
    what = f"{_base()}: {given.why or f'status {given.status}'}"
    if given.status in (0, *range(500, 600)):
        if web_health(settings.WEB_HOST, settings.WEB_PORT) is None:
            return doubtful(WHAT, f"{what}, and no web process answers on port {settings.WEB_PORT}", MEND_START)
        return bad(WHAT, what, MEND_WAY if settings.HLS_URL.startswith("/") else MEND_CDN)
    why, mend = _refusal(folder, given.status)
    return bad(WHAT, f"{what}, {why}", mend)


def _refusal(folder: str, status: int) -> tuple[str, str]:
    """The reason, and how to fix it. nginx also says 403 if it may not read a file, but 410 only with our secret."""
    if status == 410:
        return "it takes our signature for an old one", MEND_CLOCK
    if status == 403 and _ask(folder, _old(folder)).status != 410:
        return "it refuses our signature", MEND_SECRET
    if status in (403, 404):
        page = "docs/operating/tls.md#the-sound-as-files"
        mend = f"Let it serve {settings.HLS_DIR}, and let its user read there ({page})."
        return "it cannot find the file, or may not read it", mend
    return "and there is no file", MEND_ELSEWHERE


def _old(folder: str) -> str:
    return sign(settings.HLS_SECRET, folder, time.time() - 10 * SECONDS)


def _ask(folder: str, signed: str) -> Answer:
    address = f"{_base()}{signed}/{folder}/{FILE}"
    request = urllib.request.Request(address, headers={"Origin": _origin()})  # noqa: S310 (an address of the settings)
    try:
        with urllib.request.urlopen(request, timeout=WAIT_SECONDS) as answer:  # noqa: S310
            origin = answer.headers.get("Access-Control-Allow-Origin", "")
            return Answer(answer.status, answer.read(1024), origin)
    except HTTPError as refusal:
        with refusal:
            return Answer(refusal.code)
    except (OSError, ValueError, HTTPException) as error:
        return Answer(0, why=_reason(error))


def _reason(error: Exception) -> str:
    reason = error.reason if isinstance(error, URLError) else error
    if isinstance(reason, ssl.SSLCertVerificationError):
        return f"TLS fails ({reason.verify_message})"
    return f"no answer ({getattr(reason, 'strerror', None) or reason})"


def _base() -> str:
    """The address at which browsers fetch them."""
    return f"{_origin()}{settings.HLS_URL}" if settings.HLS_URL.startswith("/") else str(settings.HLS_URL)


def _origin() -> str:
    """The origin of the site's pages (RFC 6454)."""
    site = urlsplit(settings.PUBLIC_URL or own_address(settings.WEB_HOST, settings.WEB_PORT))
    return f"{site.scheme}://{site.netloc}"

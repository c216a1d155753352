"""Serves HLS files when no other web server does.

It is an ASGI application of its own in front of Django, whose sessions and threads would cost ten times as much as the
file. On a machine with nginx, nginx does this (docs/operating/tls.md). Each file has two addresses, both under the
signature of `rooms.media.hls.signature`:

- `/hls/<expires>-<signature>/<folder>/<file>`, for players that can change the address every few seconds
- `/hls/own/<folder>/<file>`, with the same signature in the cookie `hls`, for players that cannot
"""

import re
import time
from collections.abc import Awaitable, Callable
from http.cookies import CookieError, SimpleCookie
from pathlib import Path
from typing import Any

from rooms import ranges
from rooms.media.hls import signature

PREFIX = "/hls/"
KINDS = {"m3u8": "application/vnd.apple.mpegurl", "m4s": "audio/mp4", "mp4": "audio/mp4"}
FRESH = {"m3u8": "max-age=1", "m4s": "max-age=60, immutable", "mp4": "max-age=60, immutable"}  # and deleted after 20 s
_ADDRESS = re.compile(
    r"/hls/(?P<signed>own|[0-9]+-[\w-]+)/(?P<folder>[\w-]+)/(?P<file>[\w-]+\.(?P<kind>m3u8|m4s|mp4))", re.ASCII
)

Headers = dict[bytes, bytes]
Send = Callable[[dict[str, Any]], Awaitable[None]]
App = Callable[[Any, Any, Any], Awaitable[None]]


class Files:
    """Answers requests below PREFIX with files in `root`. Passes all other requests to `others`."""

    def __init__(self, root: Path, secret: str, others: App, now: Callable[[], float] = time.time) -> None:
        self.root, self.secret, self.others, self.now = root, secret, others, now

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Send) -> None:
        if not scope["path"].startswith(PREFIX):
            await self.others(scope, receive, send)
            return
        headers: Headers = dict(scope["headers"])
        status, more, body = self.answer(scope["method"], scope["path"], headers)
        more |= {"content-length": str(len(body)), "x-content-type-options": "nosniff"}
        named = [(name.encode(), value.encode("latin-1")) for name, value in more.items()]
        await send({"type": "http.response.start", "status": status, "headers": named})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})

    def answer(self, method: str, path: str, headers: Headers) -> tuple[int, dict[str, str], bytes]:
        """Status, headers and body. As from nginx: 403 for a signature that is not ours, 410 after its time."""
        if method not in ("GET", "HEAD"):
            return _plain(405)
        address = _ADDRESS.fullmatch(path)
        if address is None:
            return _plain(404)
        own = address["signed"] == "own"
        signed = _cookie(headers) if own else address["signed"]
        refusal = signature.refusal(self.secret, address["folder"], signed, self.now())
        if refusal is not None:
            return _plain(410 if refusal == "expired" else 403)
        try:
            body = (self.root / address["folder"] / address["file"]).read_bytes()
        except OSError:
            return _plain(404)
        kind = address["kind"]
        more = {"content-type": KINDS[kind], "cache-control": _cached(kind, own)}
        if kind == "m3u8":
            return 200, more, body
        asked = headers.get(b"range", b"").decode("latin-1") if method == "GET" else ""
        return _part(asked, body, more | {"accept-ranges": "bytes"})


def _plain(status: int) -> tuple[int, dict[str, str], bytes]:
    return status, {"content-type": "text/plain", "cache-control": "no-store"}, b""


def _cached(kind: str, own: bool) -> str:
    """What caches may do. A shared cache does not check the cookie, so files that need it are for the browser alone."""
    return f"{'private' if own else 'public'}, {FRESH[kind]}"


def _part(asked: str, body: bytes, more: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
    """The part of the file that the `Range` header asks for, or the whole."""
    try:
        part = ranges.read(asked, len(body))
    except ranges.Unsatisfiable:
        return 416, more | {"content-range": f"bytes */{len(body)}"}, b""
    if part is None:
        return 200, more, body
    first, stop = part
    return 206, more | {"content-range": f"bytes {first}-{stop - 1}/{len(body)}"}, body[first:stop]


def _cookie(headers: Headers) -> str:
    try:
        found = SimpleCookie(headers.get(b"cookie", b"").decode("latin-1")).get("hls")
    except CookieError:
        return ""
    return found.value if found is not None else ""

"""Streams sound by range requests (RFC 9110 section 14). It has no URL: views that check permissions call it."""

import asyncio
import hashlib
import io
from collections.abc import AsyncIterator, Callable, Generator
from dataclasses import dataclass
from typing import IO

from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.utils.cache import patch_cache_control

from recordings import files
from rooms import ranges

BLOCK = 64 * 1024
OPUS = "audio/ogg; codecs=opus"


@dataclass(frozen=True)
class Source:
    """Some bytes of a known length. `etag` is strong and without quotes; `open` gives a file that can seek."""

    size: int
    etag: str
    open: Callable[[], IO[bytes]]
    content_type: str = OPUS


def stored(key: str, etag: str, content_type: str = OPUS) -> Source:
    """A file of the storage. Raises FileNotFoundError if it is gone."""
    storage = files.storage()
    return Source(storage.size(key), etag, lambda: storage.open(key), content_type)


def made(data: bytes, content_type: str = OPUS) -> Source:
    """Bytes that were made for this request."""
    return Source(len(data), hashlib.sha256(data).hexdigest()[:32], lambda: io.BytesIO(data), content_type)


def respond(request: HttpRequest, source: Source) -> HttpResponseBase:
    """Answer with the whole (200), with one range (206), or with 416.

    A request for several ranges gets the whole, as RFC 9110 section 14.2 allows.
    """
    try:
        asked = _range(request, source)
    except ranges.Unsatisfiable:
        response: HttpResponseBase = HttpResponse(status=416)
        response["Content-Range"] = f"bytes */{source.size}"
        return _with_headers(response, source)
    start, stop = asked or (0, source.size)
    response = _body(request, source, start, stop)
    response["Content-Length"] = str(stop - start)
    if asked is not None:
        response.status_code = 206
        response["Content-Range"] = f"bytes {start}-{stop - 1}/{source.size}"
    return _with_headers(response, source)


def _with_headers(response: HttpResponseBase, source: Source) -> HttpResponseBase:
    response["Content-Type"] = source.content_type
    response["Accept-Ranges"] = "bytes"
    response["ETag"] = f'"{source.etag}"'
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Disposition"] = "inline"
    patch_cache_control(response, private=True, no_store=True)  # no cache keeps evidence
    return response


def _range(request: HttpRequest, source: Source) -> tuple[int, int] | None:
    """The first byte and the one after the last, or None for the whole. Raises ranges.Unsatisfiable."""
    header, condition = request.headers.get("Range", ""), request.headers.get("If-Range")
    if request.method != "GET" or (condition is not None and condition.strip() != f'"{source.etag}"'):
        return None
    return ranges.read(header, source.size)


def _body(request: HttpRequest, source: Source, start: int, stop: int) -> HttpResponseBase:
    if request.method == "HEAD":
        return HttpResponse()
    blocks = _blocks(source, start, stop)
    return StreamingHttpResponse(_in_threads(blocks) if isinstance(request, ASGIRequest) else blocks)


def _blocks(source: Source, start: int, stop: int) -> Generator[bytes]:
    with source.open() as file:
        file.seek(start)
        while start < stop and (block := file.read(min(BLOCK, stop - start))):
            start += len(block)
            yield block


async def _in_threads(blocks: Generator[bytes]) -> AsyncIterator[bytes]:
    """The same for ASGI, which would otherwise collect the whole answer before it sends the first octet."""
    try:
        while block := await asyncio.to_thread(next, blocks, b""):
            yield block
    finally:
        blocks.close()

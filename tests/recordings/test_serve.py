"""Range requests after RFC 9110 section 14, under WSGI and ASGI."""

from typing import Any

import pytest
from django.http import HttpRequest, HttpResponseBase
from django.test import AsyncRequestFactory, RequestFactory

from recordings.archive import archive
from recordings.clips import mix
from recordings.models import Recording
from recordings.serve import BLOCK, Source, made, respond

DATA = bytes(range(256)) * 4
SOURCE = made(DATA)


def get(source: Source = SOURCE, method: str = "get", asked: str = "", tag: str = "") -> tuple[HttpResponseBase, bytes]:
    headers = {name: value for name, value in (("Range", asked), ("If-Range", tag)) if value}
    request: HttpRequest = getattr(RequestFactory(), method)("/", headers=headers)
    response = respond(request, source)
    return response, b"".join(response)


def test_without_a_range_the_whole_comes() -> None:
    response, body = get()
    assert (response.status_code, body) == (200, DATA)
    assert response["Accept-Ranges"] == "bytes"
    assert response["Content-Length"] == "1024"
    assert response["Content-Type"] == "audio/ogg; codecs=opus"
    assert "no-store" in response["Cache-Control"]
    assert "private" in response["Cache-Control"]
    assert response["ETag"] == f'"{SOURCE.etag}"'


@pytest.mark.parametrize(
    ("asked", "start", "stop"),
    [
        ("bytes=100-199", 100, 200),
        ("bytes=1000-", 1000, 1024),
        ("bytes=-100", 924, 1024),
        (f"bytes=5-{'9' * 5000}", 5, 1024),
    ],
)
def test_one_range(asked: str, start: int, stop: int) -> None:
    response, body = get(asked=asked)
    assert (response.status_code, body) == (206, DATA[start:stop])
    assert response["Content-Range"] == f"bytes {start}-{stop - 1}/1024"
    assert response["Content-Length"] == str(stop - start)


@pytest.mark.parametrize("asked", ["bytes=1024-", "bytes=-0"])
def test_a_range_behind_the_end_is_refused(asked: str) -> None:
    response, body = get(asked=asked)
    assert (response.status_code, body) == (416, b"")
    assert response["Content-Range"] == "bytes */1024"


@pytest.mark.parametrize("asked", ["bytes=9-5", "items=0-5", "bytes=0-5,10-15"])
def test_what_is_no_single_range_is_ignored(asked: str) -> None:
    response, body = get(asked=asked)
    assert (response.status_code, body) == (200, DATA)


def test_if_range_with_the_same_tag_gives_the_range() -> None:
    response, _body = get(asked="bytes=0-9", tag=f'"{SOURCE.etag}"')
    assert response.status_code == 206


@pytest.mark.parametrize("tag", ['"other"', "W/{0}", "Wed, 21 Oct 2026 07:28:00 GMT"])
def test_if_range_with_anything_else_gives_the_whole(tag: str) -> None:
    response, body = get(asked="bytes=0-9", tag=tag.format(f'"{SOURCE.etag}"'))
    assert (response.status_code, body) == (200, DATA)


def test_head_gives_the_length_and_sends_nothing() -> None:
    response, body = get(method="head", asked="bytes=0-9")
    assert (response.status_code, response["Content-Length"], body) == (200, "1024", b"")


def test_an_empty_source() -> None:
    assert get(made(b""))[0].status_code == 200
    assert get(made(b""), asked="bytes=0-")[0].status_code == 416
    assert get(made(b""), asked="bytes=-5")[0].status_code == 416


async def test_under_asgi_it_streams_in_blocks() -> None:
    data = b"x" * (3 * BLOCK) + b"the very end"
    response: Any = respond(AsyncRequestFactory().get("/", headers={"Range": "bytes=10-"}), made(data))
    assert response.is_async
    blocks = [block async for block in response]
    assert b"".join(blocks) == data[10:]
    assert len(blocks) == 4


def test_the_finished_mix_comes_from_the_storage(ended: Recording) -> None:
    archive(ended)
    ended.refresh_from_db()
    source, start_ms = mix(ended)
    whole, part = get(source)[1], get(source, asked="bytes=100-299")
    assert start_ms == 0
    assert whole.startswith(b"OggS")
    assert (part[0].status_code, part[1]) == (206, whole[100:300])
    assert part[0]["ETag"] == get(source)[0]["ETag"]

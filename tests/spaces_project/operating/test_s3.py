"""Recordings on S3: the switch in the settings, and the way of a file through django-storages to an S3 service."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from tests.rig.machine import CHECKOUT

WAY = """
import django; django.setup()
from django.core.files.base import ContentFile
from django.core.files.storage import storages
bucket = storages["recordings"]
name = bucket.save("space/turn/0000000000.opus", ContentFile(b"sound"))
print(name, bucket.exists(name), bucket.size(name), bucket.open(name).read())
bucket.save(name, ContentFile(b"again"))
print(bucket.open(name).read())
bucket.delete(name)
print(bucket.exists(name))
"""


class Bucket(BaseHTTPRequestHandler):
    """As much of S3 as a bucket of files needs: PUT, GET, HEAD, DELETE by path."""

    kept: dict[str, bytes]

    def do_PUT(self) -> None:
        assert self.headers["Authorization"].startswith("AWS4-HMAC-SHA256 Credential=key/")
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if "aws-chunked" in self.headers.get("Content-Encoding", ""):
            body = self.unchunked(body)
        self.kept[self.key()] = body
        self.answer(200)

    def do_GET(self) -> None:
        found = self.kept.get(self.key())
        self.answer(404 if found is None else 200, found or b"")

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_DELETE(self) -> None:
        self.kept.pop(self.key(), None)
        self.answer(204)

    def key(self) -> str:
        return self.path.partition("?")[0]

    def unchunked(self, body: bytes) -> bytes:
        """The content of `size;signature CRLF data CRLF ... 0`, of which our small files have one piece."""
        head, _, rest = body.partition(b"\r\n")
        return rest[: int(re.split(rb"[;]", head)[0], 16)]

    def answer(self, status: int, body: bytes = b"") -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("ETag", '"0"')
        self.send_header("Last-Modified", "Sun, 22 Nov 2026 12:00:00 GMT")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *args: Any) -> None:
        return None


@pytest.fixture
def service() -> Iterator[ThreadingHTTPServer]:
    handler = type("OneBucket", (Bucket,), {"kept": {}})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def ask(code: str, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=CHECKOUT, capture_output=True, text=True, check=False,
        env=os.environ | {"DJANGO_SETTINGS_MODULE": "spaces_project.settings"} | environment,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_recording_is_written_read_and_deleted_on_s3(service: ThreadingHTTPServer) -> None:
    said = ask(
        WAY,
        RECORDINGS_BUCKET="sound",
        S3_ENDPOINT_URL=f"http://127.0.0.1:{service.server_address[1]}",
        S3_REGION="us-east-1",
        S3_ACCESS_KEY="key",
        S3_SECRET_KEY="secret",
    )
    assert said.splitlines() == ["space/turn/0000000000.opus True 5 b'sound'", "b'again'", "False"]


def test_without_a_bucket_recordings_are_files_of_their_user_alone(tmp_path: Path) -> None:
    code = WAY.partition("print")[0] + "print(bucket.path(name))"
    path = Path(ask(code, RECORDINGS_BUCKET="", RECORDINGS_DIR=str(tmp_path / "recordings")).strip())
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700

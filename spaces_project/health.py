"""Whether this process reaches what it needs. Proxies, supervisors and people may ask without a log-in."""

import json
import time
import urllib.request
from http.client import HTTPException
from typing import Any

import redis
from django.conf import settings
from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from rooms.nodes import placement
from rooms.store.client import redis_client
from spaces_project.tasks import CANARY


@never_cache
@require_safe
def health(request: HttpRequest) -> JsonResponse:
    """200 while database and Redis answer, 503 otherwise.

    `nodes`: media nodes with a heartbeat. `jobs_age_seconds`: the age of the last canary, a job that beat sends every
    ten seconds; null after ten minutes.
    """
    found = {"database": _database(), **_redis()}
    ok = found["database"] and found["redis"]
    return JsonResponse({"ok": ok, **found}, status=200 if ok else 503)


def _database() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return False
    return True


def _redis() -> dict[str, Any]:
    try:
        age, nodes = jobs_age(), len(placement.nodes())
    except redis.RedisError:
        return {"redis": False, "nodes": 0, "jobs_age_seconds": None}
    return {"redis": True, "nodes": nodes, "jobs_age_seconds": age}


def jobs_age() -> float | None:
    """Seconds since a worker did the last canary; None after ten minutes."""
    done = redis_client().get(CANARY)
    return round(time.time() - float(done), 1) if done else None


def own_address(host: str, port: int) -> str:
    """The address at which this machine reaches its own web process, which listens on `host`."""
    name = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104
    return f"http://{name}:{port}"


def web_health(host: str, port: int) -> dict[str, Any] | None:
    """What the web process on this port of this machine reports; None if there is none."""
    name = next((name.lstrip(".") for name in settings.ALLOWED_HOSTS if name != "*"), "localhost")
    address = f"{own_address(host, port)}/health"
    request = urllib.request.Request(address, headers={"Host": name})  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=2) as answer:  # noqa: S310 (an address of this machine)
            found = json.load(answer)
    except (OSError, ValueError, HTTPException):
        return None
    return found if isinstance(found, dict) and "jobs_age_seconds" in found else None

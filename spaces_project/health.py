"""Whether this process reaches what it needs: asked by proxies, supervisors and people, without log-in."""

import time
from typing import Any

import redis
from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from rooms import placement, store
from spaces_project.tasks import CANARY


@never_cache
@require_safe
def health(request: HttpRequest) -> JsonResponse:
    """200 while database and Redis answer, 503 otherwise.

    ``nodes``: media nodes whose heart beats; ``jobs_age_seconds``: since a worker has last done the canary job that
    beat asks for every ten seconds, null for longer than ten minutes.
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
    """Seconds since a worker has last done the canary job; None for longer than ten minutes."""
    sung = store.client().get(CANARY)
    return round(time.time() - float(sung), 1) if sung else None

"""`/metrics` of a web process, for Prometheus: its own counts since its start, and figures from the rows.

Each of several web processes has its own counts, so ask each at its own port. Figures from rows are the same in all.
"""

import hmac
import time
from collections.abc import Callable, Iterator
from typing import Any

from asgiref.sync import iscoroutinefunction
from django.conf import settings
from django.db.models import Count
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.decorators import sync_and_async_middleware
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric

from moderation.models import Case
from recordings.models import Recording
from rooms.models import Participant, Space, SpeakerRequest
from rooms.nodes import placement
from spaces_project.health import jobs_age
from spaces_project.proxies import address_in

REQUESTS = Histogram(
    "spaces_http_request_seconds",
    "Seconds until the answer to a request, by address (its name in urls.py) and status.",
    ["view", "method", "status"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
)
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


@sync_and_async_middleware
def middleware(get_response: Any) -> Callable[[HttpRequest], Any]:
    """Measure every request. All unknown addresses are one series, and so are all unknown methods."""

    async def later(request: HttpRequest) -> HttpResponseBase:
        start = time.perf_counter()
        return _measured(request, await get_response(request), start)

    def now(request: HttpRequest) -> HttpResponseBase:
        start = time.perf_counter()
        return _measured(request, get_response(request), start)

    return later if iscoroutinefunction(get_response) else now


def _measured(request: HttpRequest, response: HttpResponseBase, start: float) -> HttpResponseBase:
    match = request.resolver_match
    view = match.view_name if match else "none"
    method = request.method if request.method in METHODS else "other"
    REQUESTS.labels(view, method, response.status_code).observe(time.perf_counter() - start)
    return response


@never_cache
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """The metrics, for requests with METRICS_TOKEN as bearer token. 404 if none is set, 401 for a wrong one.

    403 over plain HTTP from a public address, if the site has HTTPS: others can read the token on its way.
    """
    if not settings.METRICS_TOKEN:
        raise Http404
    if settings.SECURE_SSL_REDIRECT and not request.is_secure() and not _is_private(request.META["REMOTE_ADDR"]):
        return HttpResponse("Over HTTPS, or from a private network. Replace the token.\n", "text/plain", 403)
    expected, given = f"Bearer {settings.METRICS_TOKEN}", request.headers.get("Authorization", "")
    if not hmac.compare_digest(given.encode(), expected.encode()):
        return HttpResponse(status=401, headers={"WWW-Authenticate": "Bearer"})
    rows = CollectorRegistry()
    rows.register(Rows())
    return HttpResponse(generate_latest(REGISTRY) + generate_latest(rows), content_type=CONTENT_TYPE_LATEST)


def _is_private(address: str) -> bool:
    found = address_in(address)
    return found is not None and found.is_private


class Rows:
    """Figures from the database and Redis, read at each request."""

    def collect(self) -> Iterator[Metric]:
        here = Participant.objects.present().filter(space__state=Space.State.LIVE)
        queue = SpeakerRequest.objects.waiting().filter(space__state=Space.State.LIVE)
        yield _gauge("spaces_live", "Spaces that are live.", Space.objects.live().count())
        yield _by("spaces_people", "People in live Spaces, by role.", "role", _counts(here, "role"))
        yield _gauge("spaces_requests_waiting", "Requests to speak that wait for the host.", queue.count())
        yield _by("spaces_recordings", "Recordings, by state.", "state", _counts(Recording.objects.all(), "state"))
        yield _by("spaces_cases", "Cases of the safety team, by state.", "state", _counts(Case.objects.all(), "state"))
        yield _gauge("spaces_media_nodes", "Media nodes with a heartbeat.", len(placement.nodes()))
        age = jobs_age()
        yield _gauge("spaces_jobs_age_seconds", "Seconds since the workers did the last canary; NaN: too long.", age)


def _counts(rows: Any, field: str) -> dict[str, int]:
    return dict(rows.order_by().values_list(field).annotate(Count("pk")))


def _gauge(name: str, meaning: str, value: float | None) -> Metric:
    return GaugeMetricFamily(name, meaning, value=float("nan") if value is None else value)


def _by(name: str, meaning: str, label: str, values: dict[str, int]) -> Metric:
    family = GaugeMetricFamily(name, meaning, labels=[label])
    for value, number in values.items():
        family.add_metric([value], number)
    return family

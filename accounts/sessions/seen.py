"""Notes which session was used when, at most once in ten minutes in each web process."""

import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from accounts.models import MemberSession, User
from accounts.sessions.devices import device_of

SECONDS = 600
MOST_REMEMBERED = 20_000  # sessions; the one noted longest ago is forgotten first

_noted: OrderedDict[str, float] = OrderedDict()


class Seen:
    """Middleware below those for sessions and members. It notes a session also if a view has renewed its key."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        key = request.session.session_key if request.session.accessed else None  # a picture costs no query
        if key and request.user.is_authenticated and _is_due(key, time.monotonic()):
            note(request, request.user)
        return response


def note(request: HttpRequest, user: User, **kwargs: Any) -> None:
    """Note that `user` uses the session of `request`. Also a receiver of `user_logged_in`."""
    if key := request.session.session_key:
        MemberSession.objects.note(user, key, device_of(request.headers.get("User-Agent", "")))


def _is_due(key: str, now: float) -> bool:
    if now - _noted.get(key, -SECONDS) < SECONDS:
        return False
    _noted[key] = now
    _noted.move_to_end(key)
    if len(_noted) > MOST_REMEMBERED:
        _noted.popitem(last=False)
    return True

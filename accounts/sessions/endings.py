"""The ends of sessions: a log-out, a new password, a locked account. `signals.sessions_ended` tells the apps above.

A session ends in the database at once. Its websockets and its sound would go on, since they asked for the session when
they were opened. So the receivers of the signal end them.
"""

from typing import Any

from django.conf import settings
from django.contrib.auth import get_user
from django.contrib.sessions.backends.db import SessionStore
from django.http import HttpRequest

from accounts import signals
from accounts.models import User
from accounts.models.tokens import digest_of
from accounts.sessions import seen


def digest(session_key: str | None) -> str:
    """What stands for a session in messages: it cannot be used to log in. Empty if there is no session."""
    return digest_of(session_key) if session_key else ""


def lasts(session_key: str | None, user: User) -> bool:
    """Whether this session still exists and still belongs to `user`. One with an old password does not."""
    request = HttpRequest()
    request.session = SessionStore(session_key)
    return get_user(request).pk == user.pk


def logged_out(request: HttpRequest, user: User | None, **kwargs: Any) -> None:
    """End what belongs to the session of this request.

    Django deletes the session after this signal. It is deleted before pages hear of its end, since a websocket that
    opens in between would stay.
    """
    if user is not None:
        request.logged_out = True  # type: ignore[attr-defined]  # spaces_project/web/private.py clears the browser
        request.session.delete()
        signals.sessions_ended.send(User, user=user, only=_of(request))


def password_changed(request: HttpRequest, user: User, **kwargs: Any) -> None:
    """End what belongs to every other session, and the API tokens. The session of this request has a new key now."""
    user.revoke_tokens()
    seen.note(request, user)
    signals.sessions_ended.send(User, user=user, kept=_of(request), renewed=digest(request.session.session_key))


def password_reset(user: User, **kwargs: Any) -> None:
    """End what belongs to any session, and the API tokens."""
    user.revoke_tokens()
    signals.sessions_ended.send(User, user=user)


def _of(request: HttpRequest) -> str:
    """The session with which the request came. `request.session` may have another key by now."""
    return digest(request.COOKIES.get(settings.SESSION_COOKIE_NAME))

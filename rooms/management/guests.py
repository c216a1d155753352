"""Members whom a command brings into a Space, logged in without a password."""

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore

from accounts.models import User
from rooms.simulation import Guest


def guest(user: User, speaks: bool) -> Guest:
    """A guest with a session of an hour for this member, as a log-in would make it."""
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.set_expiry(3600)
    session.create()
    return Guest(handle=user.handle, cookie=f"{settings.SESSION_COOKIE_NAME}={session.session_key}", speaks=speaks)

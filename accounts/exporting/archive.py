"""What an export holds: JSON files about one member, gathered from all apps."""

import io
import json
import zipfile
from collections.abc import Iterator
from typing import Any

from allauth.mfa.models import Authenticator
from django.core.serializers.json import DjangoJSONEncoder

from accounts import signals
from accounts.models import User

Files = dict[str, Any]


def archive(user: User) -> bytes:
    """A ZIP of everything that the site knows about `user` and may tell them."""
    files = own_files(user)
    answers: list[tuple[Any, Any]] = signals.exporting.send(User, user=user)
    for _receiver, more in answers:
        files |= more
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as into:
        for name, value in files.items():
            into.writestr(name, json.dumps(value, cls=DjangoJSONEncoder, ensure_ascii=False, indent=2))
    return packed.getvalue()


def own_files(user: User) -> Files:
    return {
        "profile.json": _profile(user),
        "following.json": list(_people(user, "following_rows", "followee")),
        "followers.json": list(_people(user, "follower_rows", "follower")),
        "blocked.json": list(_people(user, "blocking_rows", "blocked")),
        "sessions.json": list(user.sessions.values("browser", "system", "began_at", "seen_at")),
        "tokens.json": list(user.api_tokens.values("name", "scopes", "created_at", "expires_at", "used_at")),
        "second_factors.json": list(
            Authenticator.objects.filter(user=user).values("type", "created_at", "last_used_at")
        ),
    }


def _profile(user: User) -> dict[str, Any]:
    names = (
        *("id", "handle", "display_name", "bio", "email", "date_joined", "last_login", "follower_count"),
        *("approves_followers", "may_host", "suspended_until", "is_staff"),
    )
    picture = {"picture": user.avatar.url if user.avatar else None}
    return {name: getattr(user, name) for name in names} | picture


def _people(user: User, rows: str, who: str) -> Iterator[dict[str, Any]]:
    """The people at the other end of relations, without those who have left."""
    for row in getattr(user, rows).select_related(who).filter(**{f"{who}__is_active": True}).order_by("pk"):
        state = {"state": row.state} if hasattr(row, "state") else {}
        yield {"handle": getattr(row, who).handle, "since": row.created_at} | state

"""What rooms adds to the export of a member's data: their Spaces, those they were in, and invitations."""

from typing import Any

from accounts.models import User
from rooms.models.participant import Participant
from rooms.models.space import Space


def files(user: User) -> dict[str, Any]:
    hosted = user.hosted_spaces.prefetch_related("invitations__user").order_by("created_at")
    entered = user.participations.select_related("space__host").prefetch_related("requests", "turns")
    invited = user.space_invitations.select_related("space__host").order_by("pk")
    return {
        "spaces_hosted.json": [_hosted(space) for space in hosted],
        "spaces_entered.json": [_entered(row) for row in entered.order_by("entered_at")],
        "invitations.json": [{"space": row.space_id, "host": _handle(row.space.host)} for row in invited],
    }


def _hosted(space: Space) -> dict[str, Any]:
    names = ("id", "title", "description", "audience", "earlier_followers_only", "started_at", "ended_at", "ended_why")
    named = [handle for row in space.invitations.all() if (handle := _handle(row.user))]
    return {name: getattr(space, name) for name in names} | {"named": named}


def _entered(row: Participant) -> dict[str, Any]:
    names = ("role", "notice_accepted_at", "entered_at", "left_at", "removed_at")
    return {
        "space": row.space_id,
        "title": row.space.title,
        "host": _handle(row.space.host),
        **{name: getattr(row, name) for name in names},
        "turns": [{"started_at": turn.started_at, "ended_at": turn.ended_at} for turn in row.turns.all()],
        "requests": [
            {"text": one.text, "state": one.state, "asked_at": one.asked_at, "decided_at": one.decided_at}
            for one in row.requests.all()
        ],
    }


def _handle(user: User) -> str | None:
    return None if user.is_gone else user.handle

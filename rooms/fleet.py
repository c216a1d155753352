"""The fleet: the people whom a member follows and who host or speak now, in Spaces that lists show."""

from typing import TypedDict

from django.db.models import Q
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from accounts.models import Follow, User
from rooms.models import Participant, Space
from rooms.rules import Role

MOST_FACES = 60


class Face(TypedDict):
    """One face of the fleet. `word` names what the colour of the ring shows."""

    user: User
    space: Space
    word: str


def faces(user: User) -> list[Face]:
    """The faces for `user`: hosts first, then speakers, and in each group those who came to the stage last."""
    followed = Follow.objects.filter(follower=user, state=Follow.State.ACCEPTED).values("followee")
    on_stage = (
        Participant.objects.on_stage()
        .filter(Q(user__in=followed) | Q(user=user, role=Role.HOST))
        .filter(space__in=Space.objects.listed_for(user))
        .select_related("space")
        .order_by("role", "-stage_since", "-entered_at")  # "host" sorts before "speaker"
    )
    return [
        Face(user=person.user, space=person.space, word="live" if person.role == Role.HOST else "speaks")
        for person in on_stage[:MOST_FACES]
    ]


def context(request: HttpRequest) -> dict[str, object]:
    """Context processor: `fleet`, looked up only if a template shows it."""
    user = getattr(request, "user", None)  # none if the request was refused before the session was read
    if user is None or not user.is_authenticated:
        return {"fleet": []}
    return {"fleet": SimpleLazyObject(lambda: faces(user))}

"""Helpers of tests about Spaces."""

from collections.abc import Callable

import pytest

from accounts.models import User
from rooms.media.contract.standing import KEY, Standing, parse
from rooms.models import Space
from rooms.refusals import Refused
from rooms.rules import Reason
from rooms.store.client import redis_client


def refused_with(reason: Reason, verb: Callable[..., object], *args: object) -> None:
    """Check that a verb is refused for this reason."""
    with pytest.raises(Refused) as refused:
        verb(*args)
    assert refused.value.reason == reason


def voices(space: Space) -> dict[str, bool]:
    """Participant -> muted, as a media node reads it."""
    space.refresh_from_db()
    return {voice.participant: voice.muted for voice in space.standing().voices}


def written(space: Space) -> Standing:
    """The standing in Redis, as a media node reads it."""
    return parse(str(redis_client().get(KEY.format(space=space.pk))))


def may_enter(space: Space, user: User) -> bool:
    return Space.objects.enterable_by(user).filter(pk=space.pk).exists()

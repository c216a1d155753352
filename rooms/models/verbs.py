"""What every verb on a person in a Space, or on their request, has in common."""

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from django.db import transaction

from rooms.models.space import Space
from rooms.refusals import check
from rooms.rules import Reason

P = ParamSpec("P")
R = TypeVar("R")
InSpace = TypeVar("InSpace", bound=Any)  # Participant or SpeakerRequest: a row with a Space


def verb(method: Callable[Concatenate[InSpace, P], R]) -> Callable[Concatenate[InSpace, P], R]:
    """Run the method in one transaction, with the Space locked and live and the row fresh. Raises Refused."""

    @wraps(method)
    def run(self: InSpace, *args: P.args, **kwargs: P.kwargs) -> R:
        with transaction.atomic():
            space = Space.locked(self.space_id)
            self.refresh_from_db()
            self.space = space
            check(None if space.state == Space.State.LIVE else Reason.NOT_LIVE)
            return method(self, *args, **kwargs)

    return run

"""What commands about Spaces share."""

from uuid import UUID

from django.core.management.base import CommandError

from rooms.models import Space

NAMED_IN_ERRORS = 5


def live_space(text: str) -> Space:
    """The live Space with this id. Raises CommandError with one line that names live Spaces."""
    try:
        space = Space.objects.live().filter(pk=UUID(text)).first()
    except ValueError:
        raise CommandError(f"{text!r} is not the id of a Space.") from None
    if space is None:
        live = Space.objects.live().select_related("host")[:NAMED_IN_ERRORS]
        raise CommandError(f"No live Space {text}. Live now: {', '.join(map(_called, live)) or 'none'}.")
    return space


def _called(space: Space) -> str:
    return f"{space.pk} ({space.host})"

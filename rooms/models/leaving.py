"""What an erased account leaves in Spaces: rows with its opaque id, without its words."""

from accounts.models import User
from rooms.models.request import SpeakerRequest
from rooms.models.space import Space

ERASED_TITLE = "—"


def end_spaces(user: User) -> None:
    """End the live Space of `user`, as the host does."""
    for space in Space.objects.live().filter(host=user):
        space.end()


def forget(user: User) -> None:
    """End the live Space of `user`, and remove the texts that they wrote: titles, descriptions, requests to speak."""
    end_spaces(user)
    user.hosted_spaces.update(title=ERASED_TITLE, description="")
    SpeakerRequest.objects.filter(participant__user=user).exclude(text="").update(text="")

"""What a session remembers between the right password of a closed account and the question whether to come back."""

import time
from uuid import UUID

from django.http import HttpRequest
from django.utils import timezone

from accounts.models import Closing, User

KEY = "closed_account"
SECONDS = 600  # for which the password holds


def offer(request: HttpRequest, user: User) -> bool:
    """Remember `user`, whose password was right. False if they may not come back."""
    may_return = Closing.objects.returnable(timezone.now()).filter(user=user).exists()
    if may_return:
        request.session[KEY] = {"user": str(user.pk), "at": time.time()}
    return may_return


def offered(request: HttpRequest) -> Closing | None:
    """The closed account that this session may open again, or None."""
    note = request.session.get(KEY)
    if note is None or time.time() - note["at"] > SECONDS:
        return None
    return Closing.objects.returnable(timezone.now()).filter(user=UUID(note["user"])).first()


def forget(request: HttpRequest) -> None:
    request.session.pop(KEY, None)

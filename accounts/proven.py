"""When an account has shown to belong to a person, so that it counts as a follower who lets someone host.

Here: with a confirmed address. `rooms.tasks.prove_listeners` does the same after a stay in a Space of another person.
"""

from typing import Any

from allauth.account.models import EmailAddress
from django.utils import timezone

from accounts.models import User


def address_confirmed(email_address: EmailAddress, **kwargs: Any) -> None:
    User.objects.filter(pk=email_address.user_id).prove(timezone.now())

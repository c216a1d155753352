"""Sessions of staff, as a log-in with a code of an authenticator app leaves them."""

import time

from allauth.account.authentication import AUTHENTICATION_METHODS_SESSION_KEY
from allauth.account.internal.flows.login import _AUTHENTICATION_METHODS_USER_SESSION_KEY
from django.test import Client

from accounts.models import User


def with_second_factor(client: Client, person: User, age: float = 0) -> None:
    """Note in the session of `client` that `person` gave password and code `age` seconds ago."""
    session, at = client.session, time.time() - age
    records = [{"method": "password", "at": at}, {"method": "mfa", "at": at, "type": "totp"}]
    session[AUTHENTICATION_METHODS_SESSION_KEY] = records
    session[_AUTHENTICATION_METHODS_USER_SESSION_KEY] = str(person.pk)
    session.save()

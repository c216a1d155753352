"""Members with and without confirmed addresses, on a site that sends mail to the outbox of the tests."""

from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.core.cache import cache

from accounts.models import User


@pytest.fixture(autouse=True)
def _no_earlier_requests() -> None:
    cache.clear()


@pytest.fixture
def _mail(settings: Any) -> None:
    settings.EMAIL_HOST, settings.PUBLIC_URL = "smtp.example.org", "https://spaces.example.org"


def address(user: User, email: str = "", verified: bool = True) -> EmailAddress:
    """Give `user` an address, of their handle unless another is named."""
    row = EmailAddress.objects.create(
        user=user, email=email or f"{user.handle}@example.org", verified=verified, primary=True
    )
    user.email = row.email
    user.save(update_fields=["email"])
    return row

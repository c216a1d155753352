"""For the tests of people alone."""

from datetime import datetime, timedelta

import pytest
from django.core.cache import cache
from django.utils import timezone


@pytest.fixture(autouse=True)
def _nothing_counted() -> None:
    """Empty Redis: a test does not pay for what the ones before did from the same address."""
    cache.clear()


@pytest.fixture
def tomorrow() -> datetime:
    return timezone.now() + timedelta(days=1)

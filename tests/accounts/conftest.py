"""For the tests of people alone."""

from datetime import datetime, timedelta

import pytest
from django.utils import timezone


@pytest.fixture
def tomorrow() -> datetime:
    return timezone.now() + timedelta(days=1)

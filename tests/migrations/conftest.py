"""A database of version 0.1.0, migrated to today once; what a test does to it is undone."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import transaction
from pytest_django import DjangoDbBlocker

from tests.rig.dumped import loaded
from tests.rooms.conftest import _empty_redis

__all__ = ["_empty_redis"]

DUMP = Path(__file__).parent / "schema_0_1_0.sql"


@pytest.fixture(scope="module")
def migrated(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    with django_db_blocker.unblock(), loaded(DUMP, f"test_dumped_{os.getpid()}"):
        call_command("migrate", verbosity=0)
        yield


@pytest.fixture(autouse=True)
def _undone(migrated: None) -> Iterator[None]:
    with transaction.atomic():
        yield
        transaction.set_rollback(True)

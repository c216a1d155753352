"""The admin shows recordings, tracks, holds and receipts, and changes none of them."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.contrib import admin
from django.test import RequestFactory
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from recordings.models import Hold, Receipt, Recording, Track
from tests.rig.rights import give

SHOWN = [Recording, Track, Hold, Receipt]


@pytest.fixture
def boss(mo: User) -> User:
    give(mo, is_superuser=True)
    return mo


@pytest.mark.parametrize("model", SHOWN)
def test_no_one_adds_changes_or_deletes(model: type, boss: User) -> None:
    request = RequestFactory().get("/")
    request.user = boss
    shown = admin.site._registry[model]
    assert shown.has_view_permission(request)
    assert not shown.has_add_permission(request)
    assert not shown.has_change_permission(request)
    assert not shown.has_delete_permission(request)
    assert shown.get_actions(request) == {}


@pytest.mark.parametrize("model", SHOWN)
def test_lists_and_pages_open(model: type, boss: User, ended: Recording, aged: Callable, log_in: Callable) -> None:
    ended.hold(Hold.Kind.REPORT, "case-1", timezone.now() + timedelta(days=60))
    if model is Receipt:
        Hold.objects.update(until=timezone.now(), released_at=timezone.now())
        aged(31).purge()
    name = f"admin:recordings_{model._meta.model_name}"  # type: ignore[attr-defined]
    client = log_in(boss)
    listed = client.get(reverse(f"{name}_changelist"))
    assert listed.status_code == 200
    if model in (Recording, Hold):
        assert b"case-1" in listed.content
    page = client.get(reverse(f"{name}_change", args=[model.objects.get().pk]))  # type: ignore[attr-defined]
    assert page.status_code == 200
    assert client.post(reverse(f"{name}_change", args=[model.objects.get().pk]), {}).status_code == 403  # type: ignore[attr-defined]
    assert client.post(reverse(f"{name}_delete", args=[model.objects.get().pk]), {"post": "yes"}).status_code == 403  # type: ignore[attr-defined]


def test_the_page_of_a_recording_shows_its_holds(boss: User, ended: Recording, log_in: Callable) -> None:
    ended.hold(Hold.Kind.APPEAL, "case-7", timezone.now() + timedelta(days=60), "asked for by phone", boss)
    page = log_in(boss).get(reverse("admin:recordings_recording_change", args=[ended.pk]))
    assert b"case-7" in page.content
    assert b"asked for by phone" in page.content
    assert b'name="holds-0-until' not in page.content


def test_the_length_is_a_clock(boss: User, ended: Recording, log_in: Callable) -> None:
    Recording.objects.update(duration_ms=3_723_000)
    page = log_in(boss).get(reverse("admin:recordings_recording_changelist"))
    assert '<td class="field-length">1:02:03</td>' in page.content.decode()


def test_a_page_names_no_key_of_the_storage(boss: User, ended: Recording, log_in: Callable) -> None:
    Recording.objects.update(mix_key="secret-place.opus")
    page = log_in(boss).get(reverse("admin:recordings_recording_change", args=[ended.pk]))
    assert b"secret-place" not in page.content

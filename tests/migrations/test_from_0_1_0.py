"""A database of 0.1.0 with rows migrates to today, and every app goes on with what it finds there."""

import re
from collections import Counter
from datetime import timedelta
from io import StringIO

import pytest
from django.apps import apps
from django.contrib.contenttypes.models import ContentType
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.utils import timezone

from accounts.models import Block, Follow, User
from accounts.people import Relation
from moderation import staff
from moderation.models import AuditEvent, Case, Decision, Notice, Report
from moderation.rules import Kind
from recordings.models import Chunk, Hold, Receipt, Recording, Track
from recordings.models.mixable import State
from rooms.models import Participant, Space
from rooms.refusals import Refused
from rooms.rules import Mute, Role
from tests.migrations.conftest import DUMP
from tests.rig.second_factor import with_second_factor

OURS = ["accounts", "rooms", "recordings", "moderation"]
#: Tables that 0.1.0 did not have.
NEW = {
    *("accounts_apitoken", "accounts_membersession", "accounts_closing", "accounts_export", "accounts_retiredhandle"),
    "accounts_signuplink",
    "moderation_metadatareceipt",
}
PAGE = {"Accept": "text/html, */*"}


def person(handle: str) -> User:
    return User.objects.get(handle=handle)


def space(title: str) -> Space:
    return Space.objects.get(title=title)


def browser(handle: str) -> Client:
    client = Client()
    client.force_login(person(handle))
    if person(handle).rank:
        with_second_factor(client, person(handle))
    return client


# The schema


def test_nothing_is_left_to_migrate() -> None:
    call_command("migrate", check_unapplied=True, verbosity=0)
    call_command("makemigrations", check_changes=True, dry_run=True, stdout=StringIO())


def test_every_row_of_0_1_0_is_still_there() -> None:
    rows = Counter(re.findall(r"^INSERT INTO public\.(\w+)", DUMP.read_text(encoding="utf-8"), re.MULTILINE))
    models = [model for app in OURS for model in apps.get_app_config(app).get_models()]
    counts = {model._meta.db_table: model._default_manager.count() for model in models}
    assert counts.pop("moderation_reportwords") == rows["moderation_report"]
    assert counts.pop("moderation_decisionwords") == rows["moderation_decision"]
    assert counts == {table: rows[table] for table in counts}
    assert {table for table, number in counts.items() if not number} == NEW


def test_rows_that_are_written_once_still_are() -> None:
    for table in ("moderation_report", "moderation_decision", "moderation_auditevent"):
        with pytest.raises(IntegrityError, match="written once"), transaction.atomic():
            connection.cursor().execute(f"DELETE FROM {table}")


# People


def test_counts_and_relations_are_right() -> None:
    for user in User.objects.all():
        assert user.follower_count == user.follower_rows.filter(state=Follow.State.ACCEPTED).count()
    assert person("hana").follower_count == 3
    assert person("lior").relation_to(person("ida")) == Relation.REQUESTED
    assert Block.between(person("dee"), person("lior")).exists()


def test_people_go_on_following() -> None:
    person("ida").approve(person("lior"))
    person("sol").unfollow(person("hana"))
    assert (person("ida").follower_count, person("hana").follower_count) == (2, 2)
    assert [found.handle for found in User.objects.search("lun")] == ["ida"]


@pytest.mark.parametrize("scheme", ["Token", "Bearer"])
def test_a_token_of_before_is_void_and_named_nowhere(scheme: str) -> None:
    key = re.findall(r"authtoken_token VALUES \('(\w{40})'", DUMP.read_text(encoding="utf-8"))[0]
    assert Client().get("/api/people/hana/", headers={"Authorization": f"{scheme} {key}"}).status_code == 401
    assert "authtoken_token" not in connection.introspection.table_names()
    assert not ContentType.objects.filter(app_label="authtoken").exists()


# Spaces


def test_the_live_space_is_as_it_was() -> None:
    tea = space("Tea at four")
    stage = {one.user.handle: (one.role, one.mute) for one in tea.stage().select_related("user")}
    assert stage == {"hana": (Role.HOST, Mute.OPEN), "sol": (Role.SPEAKER, Mute.HOST)}
    assert [one.participant.user.handle for one in tea.open_requests()] == ["lior"]
    assert set(Space.objects.enterable_by(person("lior"))) == {tea}
    assert not Space.objects.enterable_by(person("dee")).exists()
    assert (tea.node, tea.boot) == ("node-1", "0123456789abcdef")


def test_the_live_space_goes_on() -> None:
    tea = space("Tea at four")
    host = tea.participants.get(user=person("hana"))
    tea.open_requests()[0].admit(host)
    lior = tea.participants.get(user=person("lior"))
    assert (lior.role, lior.turns.count()) == (Role.SPEAKER, 1)
    lior.remove(host)
    with pytest.raises(Space.DoesNotExist):
        tea.enter(person("lior"))
    tea.end(by=host)
    tea.refresh_from_db()
    assert tea.state == Space.State.ENDED
    assert not tea.participants.present().exists()


def test_an_ended_space_stays_ended() -> None:
    books = space("Books by name")
    assert (books.state, books.invitations.count()) == (Space.State.ENDED, 3)
    host = Participant.objects.get(space=books, role=Role.HOST)
    with pytest.raises(Refused):
        host.open_microphone()


# Recordings


def test_the_sound_is_known_by_its_rows() -> None:
    recording = space("Books by name").recording
    assert (recording.state, recording.tracks.count()) == (State.MIXED, 3)
    assert set(recording.tracks.values_list("kind", flat=True)) == {Track.Kind.TURN, Track.Kind.MIX}
    chunks = Chunk.objects.filter(track__recording=recording)
    assert recording.file_keys() == {recording.mix_key, recording.waveform_key, *(chunk.key for chunk in chunks)}
    assert recording.turn_chunks().count() == 4


def test_a_hold_of_before_is_released() -> None:
    recording = space("Books by name").recording
    hold = recording.holds.get(released_at=None)
    assert (hold.kind, recording.purge_at) == (Hold.Kind.BREACH, hold.until)
    recording.release_hold(hold)
    recording.refresh_from_db()
    assert recording.purge_at == recording.retained_until


def test_the_receipt_of_what_is_gone_stays() -> None:
    old = space("Long ago")
    receipt = Receipt.objects.get(space=str(old.pk))
    assert (old.recording.state, receipt.chunks, receipt.milliseconds) == (State.PURGED, 2, 6000)
    assert Recording.objects.due(timezone.now()).filter(pk=old.recording.pk).count() == 0


# Moderation


def test_an_open_case_is_decided() -> None:
    case = Case.objects.get(state=Case.State.CLAIMED)
    assert [report.text for report in case.reports.in_order()] == ["at 0:42"]
    case.decide(person("mo"), Kind.REMOVE, "You said hateful things. Rule 1 forbids it.")
    assert case.decision is not None
    sol = case.participation().get()
    assert (sol.user.handle, sol.removed_by) == ("sol", person("mo"))
    assert Hold.objects.get(case_ref=str(case.pk), released_at=None).kind == Hold.Kind.BREACH
    assert AuditEvent.objects.of_case(case.pk).filter(verb=AuditEvent.Verb.CASE_DECIDED).count() == 1


def test_a_report_joins_the_case_that_is_open() -> None:
    tea = space("Tea at four")
    case = Case.objects.get(state=Case.State.CLAIMED)
    report = Report.file(person("lior"), tea, tea.participants.get(user=person("sol")), "violence", "a threat")
    assert report.case == case
    assert case.reports.count() == 2


def test_notices_and_suspensions_are_kept() -> None:
    sol, dee = person("sol"), person("dee")
    assert [notice.headline for notice in sol.notices.unseen()] == ["You were removed from the Space “Books by name”"]
    assert not dee.notices.unseen().exists()
    assert dee.suspended_until == Decision.objects.get(kind=Kind.SUSPEND).until
    assert dee.is_suspended(Decision.objects.get(kind=Kind.SUSPEND).created_at + timedelta(days=1))
    assert Notice.objects.count() == 2


def test_reviewers_review() -> None:
    group = staff.make_group()
    assert {user.handle for user in group.user_set.all()} == {"mo", "ada"}
    case = Case.objects.get(state=Case.State.NEW)
    page = browser("mo").get(f"/admin/moderation/case/{case.pk}/change/", headers=PAGE)
    assert page.status_code == 200


@pytest.mark.parametrize("path", ["/", "/people/hana/", "/me/followers/", "/me/decisions/", "/api/spaces/"])
def test_the_pages_open(path: str) -> None:
    assert browser("sol").get(path, headers=PAGE).status_code == 200


def test_texts_of_reports_and_decisions_are_proven_by_their_rows() -> None:
    rows = [*Report.objects.select_related("words"), *Decision.objects.select_related("words")]
    assert len(rows) > 5
    assert [row for row in rows if row.digest != row.words.digest] == []

"""The table of who may do what."""

import ast
from pathlib import Path

import pytest

from rooms import rules
from rooms.refusals import TEXTS
from rooms.rules import Action, Mute, Reason, Role, refusal


def test_everyone_may_hear_react_and_report() -> None:
    for role in Role:
        for action in (Action.HEAR, Action.REACT, Action.REPORT):
            assert refusal(action, role) is None


@pytest.mark.parametrize("action", [Action.MUTE, Action.REMOVE, Action.BLOCK, Action.ADMIT, Action.DECLINE, Action.END])
@pytest.mark.parametrize("role", [Role.LISTENER, Role.SPEAKER])
def test_only_the_host_decides_about_others(action: Action, role: Role) -> None:
    assert refusal(action, role) == Reason.NOT_YOUR_ROLE
    assert refusal(action, Role.HOST) is None


@pytest.mark.parametrize("action", sorted(rules.TARGETS))
def test_nothing_but_a_report_is_done_to_the_host(action: Action) -> None:
    expected = None if action == Action.REPORT else Reason.NOT_ON_THIS_PERSON
    assert refusal(action, Role.HOST, Role.HOST) == expected


def test_the_host_does_not_ask_and_does_not_leave_without_ending() -> None:
    for action in (Action.ASK, Action.STEP_DOWN, Action.LEAVE):
        assert refusal(action, Role.HOST) == Reason.NOT_YOUR_ROLE
    for role in (Role.LISTENER, Role.SPEAKER):
        assert refusal(Action.LEAVE, role) is None


@pytest.mark.parametrize("action", sorted(set(Action) - set(rules.TARGETS)))
@pytest.mark.parametrize("target", Role)
def test_what_is_not_done_to_people_is_refused_for_every_role(action: Action, target: Role) -> None:
    role = next(role for role in Role if action in rules.TABLE[role])
    assert refusal(action, role, target) == Reason.NOT_ON_THIS_PERSON


def test_a_listener_is_not_muted_and_a_speaker_is_not_admitted() -> None:
    assert refusal(Action.MUTE, Role.HOST, Role.LISTENER) == Reason.NOT_ON_THIS_PERSON
    assert refusal(Action.ADMIT, Role.HOST, Role.SPEAKER) == Reason.NOT_ON_THIS_PERSON


def test_a_microphone_opens_after_the_notice_and_not_against_the_host() -> None:
    assert rules.opening_refusal(Mute.SELF, notice_accepted=True) is None
    assert rules.opening_refusal(Mute.SELF, notice_accepted=False) == Reason.NOTICE_NOT_ACCEPTED
    assert rules.opening_refusal(Mute.HOST, notice_accepted=True) == Reason.MUTED_BY_HOST


def test_the_stage_is_full_at_the_limit_and_not_before() -> None:
    assert rules.stage_refusal(10, 11) is None
    assert rules.stage_refusal(11, 11) == Reason.STAGE_FULL


def test_hosting_needs_followers_good_standing_and_no_other_space() -> None:
    assert rules.hosting_refusal(0, suspended=False, already_live=False) is None
    assert rules.hosting_refusal(1, suspended=False, already_live=False) == Reason.TOO_FEW_FOLLOWERS
    assert rules.hosting_refusal(0, suspended=True, already_live=False) == Reason.SUSPENDED
    assert rules.hosting_refusal(0, suspended=False, already_live=True) == Reason.ALREADY_LIVE


def test_people_are_named_only_for_spaces_of_named_people_and_up_to_a_limit() -> None:
    assert rules.inviting_refusal(by_name=True, invited=rules.MOST_INVITED) is None
    assert rules.inviting_refusal(by_name=True, invited=rules.MOST_INVITED + 1) == Reason.TOO_MANY_INVITED
    assert rules.inviting_refusal(by_name=False, invited=1) == Reason.NOT_BY_NAME


def test_every_reason_has_a_text_and_the_table_knows_every_role() -> None:
    assert set(TEXTS) == set(Reason)
    assert set(rules.TABLE) == set(Role)


def test_the_rules_import_nothing_of_django() -> None:
    tree = ast.parse(Path(rules.__file__).read_text(encoding="utf-8"))
    imported = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert imported == {"enum"}


@pytest.mark.parametrize(
    ("gone", "since", "refused"),
    [(0, 0, False), (1, 0, False), (2, 9, True), (2, 10, False), (3, 19, True), (3, 20, False), (99, 299, True)],
)
def test_the_pause_before_asking_again_grows(gone: int, since: float, refused: bool) -> None:
    assert rules.asking_refusal(False, gone, since) == (Reason.ASKED_TOO_OFTEN if refused else None)


def test_the_longest_pause_is_five_minutes() -> None:
    assert rules.asking_refusal(False, 99, 300) is None
    assert rules.asking_refusal(True, 0, 0) == Reason.ALREADY_ASKED

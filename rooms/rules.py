"""Who may do what in a Space: one table that page, socket, API and admin ask. Imports nothing of Django.

`refusal(...)` returns a reason, or None if the action is allowed. The texts of reasons are in `rooms/refusals.py`.
"""

from enum import StrEnum

MOST_INVITED = 500  # people named for one Space
ASK_PAUSE, LONGEST_ASK_PAUSE = 10.0, 300.0  # seconds


class Role(StrEnum):
    HOST = "host"
    SPEAKER = "speaker"
    LISTENER = "listener"


class Mute(StrEnum):
    """State of a microphone. A microphone that the host closed is opened by the host alone."""

    OPEN = "open"
    SELF = "self"
    HOST = "host"


class Action(StrEnum):
    HEAR = "hear"
    LEAVE = "leave"
    REACT = "react"
    REPORT = "report"
    ASK = "ask"
    WITHDRAW = "withdraw"
    OPEN_MICROPHONE = "open_microphone"
    CLOSE_MICROPHONE = "close_microphone"
    STEP_DOWN = "step_down"
    ADMIT = "admit"
    DECLINE = "decline"
    MUTE = "mute"
    UNMUTE = "unmute"
    MOVE_TO_AUDIENCE = "move_to_audience"
    REMOVE = "remove"
    BLOCK = "block"
    INVITE = "invite"
    END = "end"


class Reason(StrEnum):
    """Why an action is refused. The value travels on the wire as the code of an error."""

    NOT_YOUR_ROLE = "not_your_role"
    NOT_ON_THIS_PERSON = "not_on_this_person"
    NOT_ON_YOURSELF = "not_on_yourself"
    NOT_LIVE = "not_live"
    NOT_IN_THE_SPACE = "not_in_the_space"
    STAGE_FULL = "stage_full"
    ALREADY_ASKED = "already_asked"
    ASKED_TOO_OFTEN = "asked_too_often"
    NOT_ASKED = "not_asked"
    ALREADY_DECIDED = "already_decided"
    MUTED_BY_HOST = "muted_by_host"
    NOTICE_NOT_ACCEPTED = "notice_not_accepted"
    TOO_FEW_FOLLOWERS = "too_few_followers"
    SUSPENDED = "suspended"
    ALREADY_LIVE = "already_live"
    NOT_BY_NAME = "not_by_name"
    NO_SUCH_PERSON = "no_such_person"
    WAS_REMOVED = "was_removed"
    TOO_MANY_INVITED = "too_many_invited"


EVERYONE = {Action.HEAR, Action.REACT, Action.REPORT}

TABLE: dict[Role, frozenset[Action]] = {
    Role.LISTENER: frozenset(EVERYONE | {Action.LEAVE, Action.ASK, Action.WITHDRAW}),
    Role.SPEAKER: frozenset(
        EVERYONE | {Action.LEAVE, Action.OPEN_MICROPHONE, Action.CLOSE_MICROPHONE, Action.STEP_DOWN}
    ),
    Role.HOST: frozenset(
        EVERYONE
        | {Action.OPEN_MICROPHONE, Action.CLOSE_MICROPHONE, Action.ADMIT, Action.DECLINE, Action.MUTE, Action.UNMUTE}
        | {Action.MOVE_TO_AUDIENCE, Action.REMOVE, Action.BLOCK, Action.INVITE, Action.END}
    ),
}

# The roles of people to whom an action may be done. Actions that are missing here are not done to people.
TARGETS: dict[Action, frozenset[Role]] = {
    Action.ADMIT: frozenset({Role.LISTENER}),
    Action.DECLINE: frozenset({Role.LISTENER}),
    Action.MUTE: frozenset({Role.SPEAKER}),
    Action.UNMUTE: frozenset({Role.SPEAKER}),
    Action.MOVE_TO_AUDIENCE: frozenset({Role.SPEAKER}),
    Action.REMOVE: frozenset({Role.SPEAKER, Role.LISTENER}),
    Action.BLOCK: frozenset({Role.SPEAKER, Role.LISTENER}),
    Action.REPORT: frozenset(Role),
}


def refusal(action: Action, role: Role, target: Role | None = None) -> Reason | None:
    """May a person with `role` do `action` (to a person with the role `target`)? None means yes."""
    if action not in TABLE[role]:
        return Reason.NOT_YOUR_ROLE
    if target is not None and target not in TARGETS.get(action, frozenset()):
        return Reason.NOT_ON_THIS_PERSON
    return None


def allowed(role: Role) -> list[Action]:
    """What a page offers to a person with this role, in the order of Action."""
    return [action for action in Action if action in TABLE[role]]


def opening_refusal(mute: Mute, notice_accepted: bool) -> Reason | None:
    """May a person open their own microphone?"""
    if mute == Mute.HOST:
        return Reason.MUTED_BY_HOST
    return None if notice_accepted else Reason.NOTICE_NOT_ACCEPTED


def stage_refusal(speakers: int, most: int) -> Reason | None:
    """Is there a free microphone? `speakers` does not count the host."""
    return Reason.STAGE_FULL if speakers >= most else None


def asking_refusal(waiting: bool, gone: int, since: float) -> Reason | None:
    """May a listener ask to speak? `gone`: how many requests of theirs were withdrawn or declined in this Space.

    `since`: seconds since the last of these. The first may be repeated at once. After that the pause doubles each time.
    """
    if waiting:
        return Reason.ALREADY_ASKED
    pause = min(ASK_PAUSE * 2 ** min(gone - 2, 10), LONGEST_ASK_PAUSE) if gone > 1 else 0.0
    return Reason.ASKED_TOO_OFTEN if since < pause else None


def inviting_refusal(by_name: bool, invited: int) -> Reason | None:
    """May people be named for a Space, which then has `invited` of them? `by_name`: only named people may enter it."""
    if not by_name:
        return Reason.NOT_BY_NAME
    return Reason.TOO_MANY_INVITED if invited > MOST_INVITED else None


def hosting_refusal(missing_followers: int, suspended: bool, already_live: bool) -> Reason | None:
    """May a member open a Space? `missing_followers` is what `User.followers_missing` counts."""
    if suspended:
        return Reason.SUSPENDED
    if missing_followers > 0:
        return Reason.TOO_FEW_FOLLOWERS
    return Reason.ALREADY_LIVE if already_live else None

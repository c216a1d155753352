"""Budgets: how often something may be done. One table, counted in Redis over all web processes.

`spend` counts one deed and raises Spent if a limit is reached. A refused deed does not count. The windows slide: a
limit of 60 an hour holds for every hour, not for that of the clock. `docs/operating/budgets.md` shows the table.
"""

import time
import uuid
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Any

import redis
from django.conf import settings
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from prometheus_client import Counter

from accounts.shared.refusals import RefusedWith

MINUTE, HOUR, DAY = 60, 3600, 24 * 3600
KEY = "spaces:budget:{name}:{who}"
REFUSED = Counter("spaces_budget_refused", "Deeds refused because a budget was spent.", ["budget"])

# KEYS[1]: a sorted set of the deeds that count, by time. ARGV: now, how many deeds, a name for them, and then the most
# and the seconds of each window. Returns 0, or the milliseconds until there is room.
SCRIPT = """
local now, amount, longest, wait = tonumber(ARGV[1]), tonumber(ARGV[2]), 0, 0
for i = 4, #ARGV, 2 do
  local most, ms = tonumber(ARGV[i]), tonumber(ARGV[i + 1]) * 1000
  local after = string.format('(%.0f', now - ms)
  local over = redis.call('ZCOUNT', KEYS[1], after, '+inf') + amount - most
  longest = math.max(longest, ms)
  if over > 0 then
    local last = redis.call('ZRANGEBYSCORE', KEYS[1], after, '+inf', 'WITHSCORES', 'LIMIT', over - 1, 1)[2]
    wait = math.max(wait, last and tonumber(last) + ms - now or ms)
  end
end
if wait > 0 then return math.ceil(wait) end
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', now - longest))
for n = 1, amount do redis.call('ZADD', KEYS[1], ARGV[1], ARGV[3] .. n) end
redis.call('PEXPIRE', KEYS[1], string.format('%.0f', longest))
return 0
"""


class Reason(StrEnum):
    TOO_OFTEN = "too_often"


@dataclass(frozen=True)
class Limit:
    """At most `most` deeds within any `seconds`."""

    most: int
    seconds: int


@dataclass(frozen=True)
class Budget:
    """A row of the table. `who` names what is counted together, and `refusal` is a sentence without the wait.

    `doors` are the addresses that it guards, by method and name in urls.py.
    """

    name: str
    who: tuple[str, ...]
    limits: tuple[Limit, ...]
    refusal: Any
    doors: tuple[str, ...] = ()


class Spent(RefusedWith[Reason]):
    """A budget is spent. `retry_after` says how many seconds to wait."""

    retry_after: int

    def __init__(self, budget: Budget, retry_after: int) -> None:
        super().__init__(Reason.TOO_OFTEN)
        self.budget, self.retry_after = budget, retry_after

    @property
    def text(self) -> str:
        return f"{self.budget.refusal} {_wait(self.retry_after)}"


MEMBER, ADDRESS = ("member",), ("address",)
IN_SPACE = ("member and Space",)
TOO_MANY = _("Too many requests.")

SIGN_UP = Budget(
    "sign_up",
    ADDRESS,
    (Limit(5, MINUTE), Limit(60, DAY)),
    _("Too many accounts were made from your network."),
    ("POST account_signup",),
)
LOG_IN = Budget(
    "log_in",
    ADDRESS,
    (Limit(30, MINUTE), Limit(600, DAY)),
    _("Too many log-ins from your network."),
    (
        "POST account_login",
        "POST admin:login",
        "POST mfa_authenticate",
        "POST account_confirm_login_code",
        "POST come_back",
    ),
)
RESET = Budget(
    "reset",
    ADDRESS,
    (Limit(5, MINUTE), Limit(30, DAY)),
    _("Too many password resets from your network."),
    ("POST account_reset_password", "POST account_reset_password_from_key", "POST account_confirm_email"),
)
ACCOUNT = Budget(
    "account",
    MEMBER,
    (Limit(10, MINUTE), Limit(60, HOUR)),
    _("You have changed your account many times in a short time."),
    (
        "POST account_change_password",
        "POST account_set_password",
        "POST account_email",
        "POST account_reauthenticate",
        "POST mfa_reauthenticate",
        "POST mfa_activate_totp",
        "POST mfa_deactivate_totp",
        "POST mfa_generate_recovery_codes",
        "POST leaving",
    ),
)
TOKEN = Budget(
    "token",
    MEMBER,
    (Limit(10, HOUR), Limit(30, DAY)),
    _("You have made many tokens in a short time."),
    ("POST token_new",),
)
EXPORT = Budget("export", MEMBER, (Limit(3, DAY),), _("You have asked for your data several times today."))
EXPORT_FORM = Budget("export_form", MEMBER, (Limit(20, MINUTE),), TOO_MANY, ("POST export",))
PROFILE = Budget(
    "profile",
    MEMBER,
    (Limit(10, MINUTE), Limit(60, HOUR)),
    _("You have saved your profile many times in a short time."),
    ("POST profile_edit",),
)
PICTURE = Budget("picture", MEMBER, (Limit(10, HOUR),), _("You have changed your picture many times in a short time."))
FOLLOW = Budget(
    "follow",
    MEMBER,
    (Limit(60, HOUR), Limit(200, DAY)),
    _("You have followed many people in a short time."),
    ("POST follow", "POST api_follow"),
)
FOLLOW_REQUEST = Budget(
    "follow_request",
    ("member and person",),
    (Limit(2, DAY), Limit(4, 30 * DAY)),
    _("You have asked this person several times."),
)
BLOCK = Budget(
    "block",
    MEMBER,
    (Limit(60, HOUR), Limit(300, DAY)),
    _("You have blocked many people in a short time."),
    ("POST block",),
)
PEOPLE = Budget(
    "people",
    MEMBER,
    (Limit(120, MINUTE),),
    TOO_MANY,
    (
        "POST unfollow",
        "DELETE api_follow",
        "POST unblock",
        "POST approve",
        "POST decline",
        "POST remove_follower",
    ),
)
SPACE = Budget(
    "space", MEMBER, (Limit(5, 10 * MINUTE), Limit(30, DAY)), _("You have opened several Spaces in a short time.")
)
SPACE_FORM = Budget("space_form", MEMBER, (Limit(20, MINUTE),), TOO_MANY, ("POST space_new",))
REPORT = Budget("report", MEMBER, (Limit(30, DAY),), _("You have sent many reports today. All of them have arrived."))
REPORT_IN_SPACE = Budget(
    "report_in_space",
    IN_SPACE,
    (Limit(10, DAY),),
    _("You have sent many reports about this Space. All of them have arrived."),
)
REPORT_FORM = Budget("report_form", MEMBER, (Limit(20, MINUTE),), TOO_MANY, ("POST report",))
SEARCH = Budget("search", MEMBER, (Limit(60, MINUTE),), _("You have searched many times."), ("GET search",))
SCHEMA = Budget("schema", MEMBER, (Limit(10, MINUTE),), TOO_MANY, ("GET api_schema",))
LANGUAGE = Budget("language", ADDRESS, (Limit(60, MINUTE),), TOO_MANY, ("POST set_language",))
ASK = Budget("ask", IN_SPACE, (Limit(3, MINUTE), Limit(30, HOUR)), _("You have asked to speak several times."))
MICROPHONE = Budget(
    "microphone", IN_SPACE, (Limit(20, 10), Limit(90, MINUTE)), _("You have opened the microphone many times.")
)
STAGE = Budget("stage", IN_SPACE, (Limit(120, MINUTE),), TOO_MANY)
NAMES = Budget("names", MEMBER, (Limit(500, HOUR), Limit(2000, DAY)), _("You have invited many people by name."))
SOUND = Budget("sound", IN_SPACE, (Limit(60, MINUTE),), TOO_MANY)
SYNC = Budget("sync", IN_SPACE, (Limit(120, MINUTE),), TOO_MANY)

TABLE = (
    *(SIGN_UP, LOG_IN, RESET, ACCOUNT, TOKEN, EXPORT, EXPORT_FORM, PROFILE, PICTURE, FOLLOW, FOLLOW_REQUEST, BLOCK),
    *(PEOPLE, SPACE, SPACE_FORM, REPORT, REPORT_IN_SPACE, REPORT_FORM, SEARCH, SCHEMA, LANGUAGE),
    *(ASK, MICROPHONE, STAGE, NAMES, SOUND, SYNC),
)
for _row in TABLE:
    REFUSED.labels(_row.name)  # so that /metrics shows each from the start
BY_DOOR = {door: budget for budget in TABLE for door in budget.doors}
#: Doors without a budget, and why.
EXEMPT = {
    "POST account_logout": "ends a session; nothing may keep a member logged in",
    "POST session_end": "ends a session; nothing may keep one",
    "POST sessions_end": "ends all sessions; nothing may keep one",
    "POST token_revoke": "takes a right away; nothing may keep a token",
    "admin": "for staff only; rights and the audit trail guard it",
}


def spend(budget: Budget, *who: object, amount: int = 1, now: float | None = None) -> None:
    """Count `amount` deeds of `who`, at `now` in seconds since 1970. Raises Spent, and RedisError without Redis."""
    at = round((time.time() if now is None else now) * 1000)
    key = KEY.format(name=budget.name, who=":".join(str(part) for part in who))
    windows = [number for limit in budget.limits for number in (limit.most, limit.seconds)]
    wait = int(_script()(keys=[key], args=[at, amount, uuid.uuid4().hex, *windows]))
    if wait:
        REFUSED.labels(budget.name).inc()
        raise Spent(budget, -(-wait // 1000))


@cache
def _script() -> Any:
    return redis.Redis.from_url(settings.REDIS_URL).register_script(SCRIPT)


def _wait(seconds: int) -> str:
    """When to try again, in minutes from two minutes on and in hours from two hours on, rounded up."""
    if seconds < 2 * MINUTE:
        text = ngettext("Try again in %(count)s second.", "Try again in %(count)s seconds.", seconds)
        return text % {"count": seconds}
    if seconds < 2 * HOUR:
        minutes = -(-seconds // MINUTE)
        text = ngettext("Try again in %(count)s minute.", "Try again in %(count)s minutes.", minutes)
        return text % {"count": minutes}
    hours = -(-seconds // HOUR)
    return ngettext("Try again in %(count)s hour.", "Try again in %(count)s hours.", hours) % {"count": hours}

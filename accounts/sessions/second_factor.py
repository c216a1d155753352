"""The second factor of staff: in this session, at most 12 hours after the log-in, and in use.

A code of an authenticator app, a passkey and a recovery code count alike. Each proves that the person has something
beside the password. Without recovery codes, a lost telephone would lock staff out at the moment of an attack.
"""

import time
from enum import StrEnum
from typing import Any

from allauth.account.authentication import get_authentication_records
from allauth.account.internal.flows.login import record_authentication
from allauth.mfa.models import Authenticator
from allauth.mfa.utils import is_mfa_enabled
from django.http import HttpRequest

from accounts.models import User

LONGEST = 12 * 3600  # seconds from the log-in
IDLE = 30 * 60  # seconds without a request to a staff page
NOTED_EACH = 60  # seconds: no row of the session is written for each request
SEEN = "staff_seen_at"
FACTORS = [Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN]


class Step(StrEnum):
    """What is missing. The value names the page that helps."""

    LOG_IN = "account_login"
    CONFIRM = "mfa_reauthenticate"
    SET_UP = "mfa_activate_totp"


def missing(request: HttpRequest) -> Step | None:
    """What a member of staff has to do before staff pages open. None: they are open."""
    user, now = request.user, time.time()
    assert isinstance(user, User)
    records = get_authentication_records(request, user)
    proofs = [record["at"] for record in records if record["method"] == "mfa"]
    log_ins = [record["at"] for record in records if not record.get("reauthenticated")]
    if not log_ins or now - log_ins[-1] > LONGEST:
        return Step.LOG_IN
    if proofs and now - max(proofs[-1], request.session.get(SEEN, 0)) <= IDLE:
        return None
    if is_mfa_enabled(user, FACTORS):
        return Step.CONFIRM
    return Step.LOG_IN if proofs else Step.SET_UP


def note_use(request: HttpRequest) -> None:
    """Note that a staff page is in use, to the minute."""
    now = time.time()
    if now - request.session.get(SEEN, 0) > NOTED_EACH:
        request.session[SEEN] = now


def logged_in(request: HttpRequest, user: User, kind: str) -> None:
    """Count a log-in that has just happened as one with a second factor, and say which."""
    record_authentication(request, user, "mfa", type=kind)


def added(request: HttpRequest, user: User, authenticator: Authenticator, **kwargs: Any) -> None:
    """Setting a factor up has just proved it: asking at once for a further code would refuse the same one."""
    if authenticator.type in FACTORS:
        record_authentication(request, user, "mfa", type=authenticator.type, reauthenticated=True)

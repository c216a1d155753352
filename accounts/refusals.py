"""The texts of the reasons in `accounts/rules.py`, and the exception that carries one."""

from django.utils.translation import gettext_lazy as _

from accounts.rules import Reason
from accounts.shared.refusals import RefusedWith

TEXTS = {
    Reason.FOLLOW_YOURSELF: _("You cannot follow yourself."),
    Reason.BLOCK_YOURSELF: _("You cannot block yourself."),
    Reason.SUSPENDED: _("Your account is suspended. You can do this again when the suspension has ended."),
    Reason.PERSON_UNAVAILABLE: _("You cannot follow this person."),
    Reason.NOT_ASKED: _("This person has not asked to follow you, or has withdrawn the request."),
    Reason.LAST_SUPERUSER: _("This is the only superuser. Make another person a superuser first."),
    Reason.TOO_MANY_TOKENS: _("You have as many tokens as one member may have. Revoke one first."),
    Reason.DEED_ON_YOURSELF: _("You cannot change your own rights. A colleague has to do it."),
    Reason.DEED_NOT_PERMITTED: _("You do not have permission to do this."),
    Reason.HIGHER_RANK: _("This account belongs to a member of staff. Only a superuser may change it."),
    Reason.REASON_MISSING: _("Give a reason. It is kept in the audit trail."),
}


class Refused(RefusedWith[Reason]):
    """Something may not be done between people, or by a suspended member."""

    texts = TEXTS


check = Refused.check

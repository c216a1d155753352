"""The texts of the reasons in `moderation/rules.py`, and the exception that carries one."""

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from accounts.shared.refusals import RefusedWith
from moderation.rules import REASON_LENGTH, REPORTS_PER_HOUR, SUSPENSION_DAYS, TEXT_LENGTH, Reason

TEXTS = {
    Reason.ON_YOURSELF: _("You cannot report yourself, or a Space that you host."),
    Reason.NOT_IN_THE_SPACE: _("This person is not in the Space."),
    Reason.SOUND_IS_GONE: _("This Space is too long ago: its sound is no longer kept, so nothing could be reviewed."),
    Reason.TEXT_TOO_LONG: format_lazy(_("Please keep it to {most} characters."), most=TEXT_LENGTH),
    Reason.TOO_MANY_REPORTS: format_lazy(
        _("You have sent {most} reports within an hour. They are all with us; please wait before you send another."),
        most=REPORTS_PER_HOUR,
    ),
    Reason.NOT_A_REVIEWER: _("You do not have the permission for that."),
    Reason.ABOUT_YOU: _("This case is about you. A colleague has to decide it."),
    Reason.REPORTED_BY_YOU: _("You reported this yourself. A colleague has to decide it."),
    Reason.CLAIMED_BY_ANOTHER: _("A colleague is working on this case."),
    Reason.NOT_CLAIMED: _("Open the desk first: a case is decided by the one who has claimed it."),
    Reason.ALREADY_DECIDED: _("This case is already decided."),
    Reason.REASON_MISSING: _("Give the reason: the person decided about will read it."),
    Reason.REASON_TOO_LONG: format_lazy(_("Please keep the reason to {most} characters."), most=REASON_LENGTH),
    Reason.SPACE_OVER: _("This Space is over, so that can no longer be done."),
    Reason.HOST_STAYS: _("A host cannot be removed from the own Space. End the Space, or suspend the account."),
    Reason.NEVER_INSIDE: _("This person was never in the Space."),
    Reason.STAFF_ACCOUNT: _("This is the account of a member of staff: only a superuser may suspend it."),
    Reason.UNTIL_MISSING: _("Say for how many days the account is to be suspended."),
    Reason.UNTIL_OUT_OF_RANGE: format_lazy(_("A suspension lasts from 1 to {most} days."), most=SUSPENSION_DAYS),
}


class Refused(RefusedWith[Reason]):
    """A report or a decision is refused."""

    texts = TEXTS


check = Refused.check

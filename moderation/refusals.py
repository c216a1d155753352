"""The texts of the reasons in `moderation/rules.py`, and the exception that carries one."""

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from accounts.shared.refusals import RefusedWith
from moderation.rules import REASON_LENGTH, REPORTS_PER_HOUR, SUSPENSION_DAYS, TEXT_LENGTH, Reason

TEXTS = {
    Reason.ON_YOURSELF: _("You cannot report yourself or a Space that you host."),
    Reason.NOT_IN_THE_SPACE: _("This person is not in the Space."),
    Reason.SOUND_IS_GONE: _(
        "This Space ended too long ago. Its sound is no longer kept, so a report could not be reviewed."
    ),
    Reason.TEXT_TOO_LONG: format_lazy(_("Use at most {most} characters."), most=TEXT_LENGTH),
    Reason.TOO_MANY_REPORTS: format_lazy(
        _("You have sent {most} reports within an hour. All of them have arrived. Wait before you send another."),
        most=REPORTS_PER_HOUR,
    ),
    Reason.NOT_A_REVIEWER: _("You do not have permission to do this."),
    Reason.ABOUT_YOU: _("This case is about you. A colleague has to decide it."),
    Reason.REPORTED_BY_YOU: _("You reported this yourself. A colleague has to decide it."),
    Reason.YOU_WERE_THERE: _("You hosted this Space or were on its stage. A colleague has to decide it."),
    Reason.CLAIMED_BY_ANOTHER: _("A colleague is working on this case."),
    Reason.NOT_CLAIMED: _("Claim the case first. Only the colleague who has claimed a case can decide it."),
    Reason.ALREADY_DECIDED: _("This case is already decided."),
    Reason.REASON_MISSING: _("Give a reason. The person concerned will read it."),
    Reason.REASON_TOO_LONG: format_lazy(_("Use at most {most} characters for the reason."), most=REASON_LENGTH),
    Reason.SPACE_OVER: _("This Space has ended, so this is no longer possible."),
    Reason.HOST_STAYS: _("A host cannot be removed from their own Space. End the Space, or suspend the account."),
    Reason.NEVER_INSIDE: _("This person was never in the Space."),
    Reason.STAFF_ACCOUNT: _("This account belongs to a member of staff. Only a superuser may decide about it."),
    Reason.STAFF_SPACE: _("The host of this Space is a member of staff. Only a superuser may end it."),
    Reason.CLAIMS_OPEN: _("This account has claimed cases. Decide or release them first."),
    Reason.UNTIL_MISSING: _("Say for how many days to suspend the account."),
    Reason.UNTIL_OUT_OF_RANGE: format_lazy(_("A suspension lasts from 1 to {most} days."), most=SUSPENSION_DAYS),
}


class Refused(RefusedWith[Reason]):
    """A report or a decision is refused."""

    texts = TEXTS


check = Refused.check

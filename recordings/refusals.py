"""The texts of the reasons in `recordings/rules.py`, and the exception that carries one."""

from django.utils.translation import gettext_lazy as _

from accounts.shared.refusals import RefusedWith
from recordings.rules import Reason

TEXTS = {
    Reason.PURGED: _("The sound of this Space has been purged."),
    Reason.NOT_AHEAD: _("The end of a hold must be in the future."),
    Reason.TOO_LONG: _("A hold lasts at most 90 days. Renew it before it ends."),
    Reason.RELEASED: _("This hold has been released. Place a new one."),
}


class Refused(RefusedWith[Reason]):
    """A hold cannot be placed or renewed."""

    texts = TEXTS


check = Refused.check

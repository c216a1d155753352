"""The texts of the reasons in `rooms/rules.py`, and the exception that carries one."""

from collections.abc import Sequence

from django.utils.translation import gettext_lazy as _

from accounts.shared.refusals import RefusedWith
from rooms.rules import Reason

TEXTS = {
    Reason.NOT_YOUR_ROLE: _("Your role in this Space does not allow that."),
    Reason.NOT_ON_THIS_PERSON: _("You cannot do that to a person in this role."),
    Reason.NOT_ON_YOURSELF: _("You cannot do that to yourself."),
    Reason.NOT_LIVE: _("This Space is not live."),
    Reason.NOT_IN_THE_SPACE: _("This person is not in the Space."),
    Reason.STAGE_FULL: _("All microphones are taken. Move someone to the audience first."),
    Reason.ALREADY_ASKED: _("You have already asked to speak."),
    Reason.ASKED_TOO_OFTEN: _("You have asked several times. Wait a few minutes before you ask again."),
    Reason.NOT_ASKED: _("You have not asked to speak."),
    Reason.ALREADY_DECIDED: _("This request is no longer open."),
    Reason.MUTED_BY_HOST: _("The host muted you. Only the host can let you speak again."),
    Reason.NOTICE_NOT_ACCEPTED: _("Read the notice about the safety recording first."),
    Reason.TOO_FEW_FOLLOWERS: _("You do not have enough followers to host a Space yet."),
    Reason.SUSPENDED: _("Your account is suspended."),
    Reason.ALREADY_LIVE: _("You already host a live Space. End it before you start another."),
    Reason.NOT_BY_NAME: _("This Space is open to followers. You cannot invite people by name."),
    Reason.NO_SUCH_PERSON: _("Member not found: %(names)s."),
    Reason.WAS_REMOVED: _("One of these people was removed from this Space and cannot come back."),
    Reason.TOO_MANY_INVITED: _("You cannot invite any more people to this Space."),
}


class Refused(RefusedWith[Reason]):
    """An action in a Space is refused."""

    texts = TEXTS


class NoSuchPeople(Refused):
    """There is no member with these handles whom the host may name."""

    shown = 20  # of them, in the text

    def __init__(self, handles: Sequence[str]) -> None:
        super().__init__(Reason.NO_SUCH_PERSON)
        self.handles = handles

    @property
    def text(self) -> str:
        return super().text % {"names": ", ".join(f"@{handle}" for handle in self.handles[: self.shown])}


check = Refused.check

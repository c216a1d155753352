"""An account that is closed: no one sees it, its member may come back until a day, and then it is erased."""

from datetime import datetime, timedelta
from typing import Self

from django.conf import settings
from django.db import models, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts import rules, signals
from accounts.models.user import User, lock_people
from accounts.refusals import check
from accounts.rules import Deed


class ClosingQuerySet(models.QuerySet["Closing"]):
    def due(self, now: datetime) -> Self:
        """Those whose days are over. An account that staff have activated again is not closed any more."""
        return self.filter(erase_at__lte=now, user__is_active=False).select_related("user")

    def returnable(self, now: datetime) -> Self:
        """Those whose member may come back."""
        return self.filter(erase_at__gt=now, may_return=True, user__is_active=False).select_related("user")


class Closing(models.Model):
    """A closed account. It goes with the account, or when its member comes back."""

    user = models.OneToOneField(User, models.CASCADE, primary_key=True, related_name="closing")
    closed_at = models.DateTimeField(_("closed"))
    erase_at = models.DateTimeField(_("will be erased"), db_index=True)
    may_return = models.BooleanField(_("the member may come back"))

    objects = ClosingQuerySet.as_manager()

    class Meta:
        default_permissions = []

    def __str__(self) -> str:
        return f"{self.user_id} until {self.erase_at:%Y-%m-%d}"

    @classmethod
    @transaction.atomic
    def start(cls, user: User, by: User | None = None, reason: str = "") -> "Closing":
        """Close the account of `user` at once. `by` is the member, a superuser, or None for an operator.

        All sessions and API tokens end for good. A locked account cannot be opened again by its member. Safe to
        repeat: the first date holds.
        Raises Refused for the last superuser, for staff without the right or a reason, and that of an app above for
        what has to be done before.
        """
        if by is not None and by.pk != user.pk:
            check(rules.deed_refusal(False, by.may_do(Deed.CLOSED), by.rank, user.rank, reason))
        check(rules.leaving_refusal(_is_last_superuser(user)))
        signals.closing.send(User, user=user, by=by, reason=reason)
        now, me = timezone.now(), lock_people(user)[user.pk]
        if not me.is_active and (before := cls.objects.filter(user=me).first()):
            return before
        times = {"closed_at": now, "erase_at": now + timedelta(days=settings.LEAVING_DAYS)}
        closing, _created = cls.objects.update_or_create(user=me, defaults=times | {"may_return": me.is_active})
        user.log_out_everywhere()
        user.deactivate(recorded=True)
        return closing

    @transaction.atomic
    def withdraw(self) -> None:
        """Open the account again. Follows, blocks and settings are as before. Raises DoesNotExist if it is too late."""
        user = lock_people(self.user)[self.user_id]
        closing = Closing.objects.returnable(timezone.now()).get(user=user)
        signals.reopening.send(User, user=user)
        user.activate(recorded=True)
        closing.delete()


def _is_last_superuser(user: User) -> bool:
    others = User.objects.filter(is_superuser=True, is_active=True).exclude(pk=user.pk)
    return user.is_superuser and user.is_active and not others.exists()

"""Rights and standing of an account, and the verbs that change them. Each is a deed: it has a reason, and is recorded.

Triggers refuse any other change of these columns (docs/decisions/049-rights-change-with-an-audit-event.md).
"""

from datetime import datetime
from typing import Any, Self

from allauth.mfa.models import Authenticator
from django.contrib.auth.models import Group, PermissionsMixin
from django.db import models, transaction
from django.dispatch import Signal
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts import rules, signals
from accounts.models.credentials import Credentials
from accounts.refusals import check
from accounts.rules import Deed, Rank

GUARDED = frozenset(("may_host", "suspended_until", "is_staff", "is_superuser", "is_active"))


class Rights(Credentials, PermissionsMixin):
    """What an account may do. In the verbs, `by` is a member of staff, or None for an operator at the command line.

    All verbs are safe to repeat. With `by`, they raise Refused for oneself, a higher rank, without the permission, or
    without a reason.
    """

    may_host = models.BooleanField(_("may host without enough followers"), default=False)
    suspended_until = models.DateTimeField(_("suspended until"), null=True, blank=True)
    is_staff = models.BooleanField(_("staff"), default=False)
    is_active = models.BooleanField(_("active"), default=True)

    class Meta:
        abstract = True

    @property
    def rank(self) -> Rank:
        """A superuser outranks staff, even without access to the admin."""
        if self.is_superuser:
            return Rank.SUPERUSER
        return Rank.STAFF if self.is_staff else Rank.MEMBER

    def is_suspended(self, now: datetime | None = None) -> bool:
        return self.suspended_until is not None and self.suspended_until > (now or timezone.now())

    def in_good_standing(self, now: datetime | None = None) -> bool:
        """Whether I am active and not suspended. A host also needs `followers_missing() == 0`."""
        return self.is_active and not self.is_suspended(now)

    def may_do(self, deed: Deed) -> bool:
        """Whether I have the permission for this deed. It says nothing about whom."""
        if not (self.is_staff and self.in_good_standing()):
            return False
        permission = rules.DEED_PERMISSIONS.get(deed)
        return self.has_perm(permission) if permission else self.is_superuser

    # Hosting

    def grant_hosting(self, by: Self | None = None, reason: str = "") -> None:
        """Let me host with any number of followers."""
        self._change(Deed.HOSTING_GRANTED, by, reason, may_host=True)

    def withdraw_hosting(self, by: Self | None = None, reason: str = "") -> None:
        """Take that right back. A live Space goes on."""
        self._change(Deed.HOSTING_WITHDRAWN, by, reason, may_host=False)

    # Standing

    @transaction.atomic
    def suspend(self, until: datetime, by: Self | None = None, reason: str = "") -> None:
        """Suspend the account until `until` (aware) and revoke its tokens. The signal `suspended` reaches live Spaces.

        Raises ValueError for a time in the past.
        """
        if until <= timezone.now():
            raise ValueError("a suspension has to end in the future")
        self._change(Deed.SUSPENDED, by, reason, suspended_until=until)
        self.revoke_tokens()
        self._tell(signals.suspended)

    def lift_suspension(self, by: Self | None = None, reason: str = "") -> None:
        """End the suspension now."""
        self._change(Deed.SUSPENSION_LIFTED, by, reason, suspended_until=None)
        self._tell(signals.suspension_lifted)

    @transaction.atomic
    def deactivate(self, by: Self | None = None, reason: str = "", *, recorded: bool = False) -> None:
        """Lock me out for good. It reaches live Spaces like a suspension.

        `recorded`: it is part of an act with an audit event of its own, in this transaction.
        """
        self._change(Deed.LOCKED, by, reason, recorded, is_active=False)
        self.log_out_everywhere()
        self._tell(signals.suspended)

    def activate(self, by: Self | None = None, reason: str = "", *, recorded: bool = False) -> None:
        """Let me in again. `recorded`: as in `deactivate`."""
        self._change(Deed.UNLOCKED, by, reason, recorded, is_active=True)
        self._tell(signals.suspension_lifted)

    # Staff

    def make_staff(self, by: Self | None = None, reason: str = "") -> None:
        """Let me into the admin. Groups decide what I may do there."""
        self._change(Deed.STAFF_MADE, by, reason, is_staff=True)

    def end_staff(self, by: Self | None = None, reason: str = "") -> None:
        self._change(Deed.STAFF_ENDED, by, reason, is_staff=False)

    def make_superuser(self, by: Self | None = None, reason: str = "") -> None:
        """Let me do all that staff may do, and change rights."""
        self._change(Deed.SUPERUSER_MADE, by, reason, is_staff=True, is_superuser=True)

    def end_superuser(self, by: Self | None = None, reason: str = "") -> None:
        """I stay a member of staff."""
        self._change(Deed.SUPERUSER_ENDED, by, reason, is_superuser=False)

    @transaction.atomic
    def join(self, group: Group, by: Self | None = None, reason: str = "") -> None:
        """Get the permissions of `group`."""
        self._check(Deed.GROUP_JOINED, by, reason)
        if not self.groups.filter(pk=group.pk).exists():
            self._record(Deed.GROUP_JOINED, by, reason, group=group.name)
            self.groups.add(group)

    @transaction.atomic
    def leave(self, group: Group, by: Self | None = None, reason: str = "") -> None:
        self._check(Deed.GROUP_LEFT, by, reason)
        if self.groups.filter(pk=group.pk).exists():
            self._record(Deed.GROUP_LEFT, by, reason, group=group.name)
            self.groups.remove(group)

    @transaction.atomic
    def reset_second_factor(self, by: Self | None = None, reason: str = "") -> None:
        """Remove my authenticator app and my recovery codes, which I have lost, and log me out everywhere."""
        self._check(Deed.FACTOR_RESET, by, reason)
        factors = Authenticator.objects.filter(user=self)
        if factors.exists():
            self._record(Deed.FACTOR_RESET, by, reason)
            factors.delete()
            self.log_out_everywhere()

    # Deeds

    @transaction.atomic
    def _change(self, deed: Deed, by: Self | None, reason: str, recorded: bool = False, **values: Any) -> None:
        """Write `values`, unless they are in force, and record the deed first."""
        row = self._check(deed, by, reason)
        if not recorded and any(getattr(row, name) != value for name, value in values.items()):
            until = values.get("suspended_until")
            self._record(deed, by, reason, **({"until": until.isoformat()} if until else {}))
        for name, value in values.items():
            setattr(self, name, value)
        self.save(update_fields=list(values))

    def _check(self, deed: Deed, by: Self | None, reason: str) -> Self:
        """Raise Refused if `by` may not do this. Returns my row, fresh and locked until the transaction ends."""
        row = type(self)._default_manager.select_for_update(no_key=True).get(pk=self.pk)
        if by is not None:
            check(rules.deed_refusal(by.pk == row.pk, by.may_do(deed), by.rank, row.rank, reason))
        return row

    def _record(self, deed: Deed, by: Self | None, reason: str, **facts: str) -> None:
        facts = {"reason": reason.strip()} | facts if reason.strip() else facts
        signals.deed.send(type(self), deed=deed, person=self, by=by, facts=facts)

    def _tell(self, signal: Signal) -> None:
        """Send the signal after commit."""
        transaction.on_commit(lambda: signal.send(type(self), user=self), robust=True)

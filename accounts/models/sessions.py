"""The sessions of a member, as the member sees them: on which device, since when, last used when."""

from functools import partial
from typing import ClassVar, Self

from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import models, transaction
from django.db.models import F
from django.utils import timezone

from accounts import signals
from accounts.models.tokens import digest_of
from accounts.sessions.devices import Device


class MemberSessionQuerySet(models.QuerySet["MemberSession"]):
    def lasting(self) -> Self:
        """Sessions that have not expired, the last used first."""
        return self.filter(session__expire_date__gt=timezone.now()).order_by(F("seen_at").desc(), "pk")

    def note(self, user: models.Model, session_key: str, device: Device) -> None:
        """Note that `user` uses this session now. Does nothing if it has just ended."""
        now = timezone.now()
        if self.filter(session=session_key, user=user).update(seen_at=now):
            return
        fields = {"user": user, "browser": device.browser, "system": device.system}
        with transaction.atomic():
            for session in Session.objects.select_for_update(no_key=True).filter(pk=session_key):
                self.update_or_create(session=session, defaults=fields | {"began_at": now, "seen_at": now})

    def end(self) -> None:
        """Delete these sessions."""
        Session.objects.filter(pk__in=list(self.values_list("session", flat=True))).delete()


class MemberSession(models.Model):
    """A session of a member. It goes with the row of Django's session."""

    session = models.OneToOneField(Session, models.CASCADE, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="sessions", editable=False)
    browser = models.CharField(max_length=20, blank=True)
    system = models.CharField(max_length=20, blank=True)
    began_at = models.DateTimeField(editable=False)
    seen_at = models.DateTimeField(editable=False)

    objects = MemberSessionQuerySet.as_manager()

    class Meta:
        default_permissions: ClassVar = []

    def __str__(self) -> str:
        return str(self.device)

    @property
    def device(self) -> Device:
        return Device(self.browser, self.system)

    @transaction.atomic
    def end(self) -> None:
        """Log this session out, and end its pages and its sound after commit."""
        ended = partial(signals.sessions_ended.send, MemberSession, user=self.user, only=digest_of(self.session_id))
        Session.objects.filter(pk=self.session_id).delete()
        transaction.on_commit(ended, robust=True)

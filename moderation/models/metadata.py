"""Proof that rows about who was where are gone, written in the transaction that deletes them, and kept for good."""

import uuid

from django.db import models
from django.utils.translation import gettext_lazy as _


class MetadataReceipt(models.Model):
    """What was deleted of one Space, and when. Ids and figures only: nothing here names a person."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    space = models.UUIDField(_("space"), db_index=True)
    ended_at = models.DateTimeField(_("ended"))
    participations = models.PositiveIntegerField(_("participations"))
    requests = models.PositiveIntegerField(_("requests to speak"))
    invitations = models.PositiveIntegerField(_("invitations"))
    purged_at = models.DateTimeField(_("purged"), db_index=True)

    class Meta:
        verbose_name = _("receipt of metadata")
        verbose_name_plural = _("receipts of metadata")
        default_permissions = ["view"]

    def __str__(self) -> str:
        return f"{self.space} {self.purged_at:%Y-%m-%d %H:%M}"

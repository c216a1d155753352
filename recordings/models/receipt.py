"""Proof that sound is gone, written in the transaction that deletes the rows, and kept for good."""

import hashlib
import uuid
from collections.abc import Iterable

from django.db import models
from django.utils.translation import gettext_lazy as _


class Receipt(models.Model):
    """What was purged, when and why. Ids and figures only: nothing here names a person."""

    class Why(models.TextChoices):
        RETENTION = "retention", _("its time was over")
        STRAY = "stray", _("it belonged to no recording")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    recording = models.UUIDField(_("recording"), null=True)
    space = models.CharField(_("space"), max_length=64)
    tracks = models.PositiveIntegerField(_("tracks"))
    chunks = models.PositiveIntegerField(_("chunks"))
    octets = models.PositiveBigIntegerField(_("octets of the chunks"))
    milliseconds = models.PositiveBigIntegerField(_("length of the chunks, ms"))
    files = models.PositiveIntegerField(_("files"))
    digest = models.CharField(_("digest"), max_length=64)
    due_at = models.DateTimeField(_("due"), null=True)
    purged_at = models.DateTimeField(_("purged"), db_index=True)
    why = models.CharField(_("why"), max_length=10, choices=Why.choices)

    class Meta:
        verbose_name = _("receipt")
        verbose_name_plural = _("receipts")
        default_permissions = ["view"]
        constraints = [models.UniqueConstraint(fields=["recording"], name="receipt_once")]

    def __str__(self) -> str:
        return f"{self.space} {self.purged_at:%Y-%m-%d %H:%M}"


def digest_of(hashes: Iterable[str]) -> str:
    """SHA-256 over the chunks' hashes in hex, sorted, each with a line feed, as `sort | sha256sum` computes it."""
    digest = hashlib.sha256()
    for line in sorted(hashes):
        digest.update(f"{line}\n".encode())
    return digest.hexdigest()

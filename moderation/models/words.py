"""The texts of reports and decisions, beside the rows that are written once. Only `forget` removes them.

The row keeps SHA-256 over a random salt and the texts. Until they are forgotten, it proves that no one has changed
them. Afterwards it says nothing, since the salt is gone with them.
"""

import hashlib
import secrets
from typing import Any, ClassVar, NoReturn

from django.db import connection, models, transaction
from django.db.models import Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from moderation import rules
from moderation.models.append_only import AppendOnly, AppendOnlyQuerySet

SEPARATOR = "\x1f"  # no text has it: plain_text refuses control characters


def new_salt() -> str:
    return secrets.token_hex(16)


def erased() -> str:
    """What stands in the place of a text that is gone."""
    return gettext("erased")


class WordsQuerySet(AppendOnlyQuerySet):
    @transaction.atomic
    def forget(self) -> int:
        """Delete these texts for good, and return how many. Triggers refuse any other deletion."""
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('moderation.forgetting', 'on', true)")
            deleted, _by_model = models.QuerySet.delete(self)
            cursor.execute("SELECT set_config('moderation.forgetting', 'off', true)")
        return deleted

    def bulk_update(self, *args: Any, **kwargs: Any) -> NoReturn:
        self.update()


class Words(AppendOnly):
    """Texts that can be forgotten, and never changed."""

    salt = models.CharField(max_length=36, default=new_salt)

    objects = WordsQuerySet.as_manager()
    texts: ClassVar[tuple[str, ...]]

    class Meta:
        abstract = True
        default_permissions: ClassVar = []

    @property
    def digest(self) -> str:
        parts = [self.salt, *(getattr(self, name) for name in self.texts)]
        return hashlib.sha256(SEPARATOR.join(parts).encode()).hexdigest()


class ReportWords(Words):
    """What the reporter wrote, and how the reported person and the Space were called at that moment."""

    report = models.OneToOneField(
        "moderation.Report", models.PROTECT, primary_key=True, related_name="words", editable=False
    )
    text = models.TextField(_("text"), max_length=rules.TEXT_LENGTH, blank=True)
    handle = models.CharField(max_length=30)
    name = models.CharField(max_length=50)
    title = models.CharField(max_length=80)
    texts = ("text", "handle", "name", "title")

    def __str__(self) -> str:
        return f"words of {self.report_id}"


class DecisionWords(Words):
    """The statement of reasons."""

    decision = models.OneToOneField(
        "moderation.Decision", models.PROTECT, primary_key=True, related_name="words", editable=False
    )
    reason = models.TextField(_("statement of reasons"), max_length=rules.REASON_LENGTH)
    texts = ("reason",)

    class Meta(Words.Meta):
        constraints = [models.CheckConstraint(condition=~Q(reason=""), name="decision_words_have_reason")]

    def __str__(self) -> str:
        return f"words of {self.decision_id}"

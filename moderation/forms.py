"""The form of a report, and the form of a decision."""

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from accounts.names.fields import PlainTextField
from moderation.models import Case, Decision
from moderation.models.decision import KINDS
from moderation.refusals import TEXTS
from moderation.rules import REASON_LENGTH, SUSPENSION_DAYS, TEXT_LENGTH, Kind, Reason
from moderation.severity import Breach


class ReportForm(forms.Form):
    reason = forms.ChoiceField(
        label=_("What is wrong?"),
        choices=Breach.choices,
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose what is wrong.")},
    )
    text = PlainTextField(
        label=_("What happened? (optional)"),
        required=False,
        max_length=TEXT_LENGTH,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("Up to 1,000 characters. Only the safety team reads it."),
    )


class DecisionForm(forms.Form):
    """Offers only what this member of staff can decide in this case."""

    kind = forms.ChoiceField(
        label=_("Decision"), widget=forms.RadioSelect, error_messages={"required": _("Choose a decision.")}
    )
    days = forms.IntegerField(label=_("Days of suspension"), required=False, min_value=1, max_value=SUSPENSION_DAYS)
    reason = PlainTextField(
        label=_("Statement of reasons"),
        max_length=REASON_LENGTH,
        widget=forms.Textarea(attrs={"rows": 6}),
        help_text=_(
            "The person concerned reads this word for word. Say which rule was broken, how, and when. "
            "Write nothing that reveals who sent the report. A dismissal is sent to no one."
        ),
        error_messages={"required": TEXTS[Reason.REASON_MISSING]},
    )

    def __init__(self, *args: Any, case: Case, by: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.case, self.by = case, by
        self.fields["kind"].choices = [(kind.value, KINDS[kind]) for kind in case.kinds_for(by)]  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("kind") != Kind.SUSPEND:
            self.errors.pop("days", None)  # the page does not show the field then
        if data.get("kind") == Kind.SUSPEND and not data.get("days") and "days" not in self.errors:
            self.add_error("days", TEXTS[Reason.UNTIL_MISSING])
        return data

    def decide(self) -> Decision:
        """Carry the decision out. Raises Refused."""
        data = self.cleaned_data
        kind = Kind(data["kind"])
        return self.case.decide(self.by, kind, data["reason"], self._until() if kind == Kind.SUSPEND else None)

    def _until(self) -> datetime:
        return timezone.now() + timedelta(days=self.cleaned_data["days"])

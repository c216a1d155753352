"""The form that opens a Space."""

import re
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from accounts.names.fields import PlainTextField
from rooms import rules
from rooms.models import Space
from rooms.models.inviting import people_called
from rooms.refusals import Refused, check

AUDIENCES = [(Space.Audience.FOLLOWERS, _("All my followers")), (Space.Audience.NAMED, _("People I name"))]


class SpaceForm(forms.ModelForm[Space]):
    """Title, audience and, for named people, their handles."""

    invited = forms.CharField(
        label=_("Who do you want to invite?"),
        required=False,
        help_text=_("Handles, separated by spaces or commas: @sol, @lior"),
        widget=forms.Textarea(attrs={"rows": 3}),
    )

    class Meta:
        model = Space
        fields = ["title", "description", "audience", "earlier_followers_only"]
        field_classes = {"title": PlainTextField, "description": PlainTextField}
        labels = {
            "description": _("What it is about (optional)"),
            "earlier_followers_only": _("Only people who already follow me"),
        }
        widgets = {
            "audience": forms.RadioSelect,
            "description": forms.Textarea(attrs={"rows": 3, "maxlength": 500}),
        }

    def __init__(self, *args: Any, host: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.host = host
        audience = self.fields["audience"]
        assert isinstance(audience, forms.ChoiceField)
        audience.choices = AUDIENCES
        self.initial.setdefault("audience", Space.Audience.FOLLOWERS)

    def clean_title(self) -> str:
        title = " ".join(self.cleaned_data["title"].split())
        if not title:
            raise forms.ValidationError(_("Give the Space a title."))
        return title

    def clean_invited(self) -> list[User]:
        """The people with these handles. The error names handles that are unknown or between whom there is a block."""
        handles = [handle for handle in re.split(r"[\s,;@]+", self.cleaned_data["invited"]) if handle]
        try:
            check(rules.inviting_refusal(by_name=True, invited=len(set(handles))))
            return people_called(handles, self.host)
        except Refused as refused:
            raise forms.ValidationError(refused.text) from None

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("audience") == Space.Audience.NAMED:
            data["earlier_followers_only"] = False
            if "invited" in data and not data["invited"]:
                self.add_error("invited", _("Name at least one person, or invite all your followers."))
        else:
            data["invited"] = []
        return data

    def open(self) -> Space:
        """Open the Space. Raises Refused."""
        data = self.cleaned_data
        return Space.open(
            self.host,
            title=data["title"],
            description=data["description"],
            audience=data["audience"],
            invited=data["invited"],
            earlier_followers_only=data["earlier_followers_only"],
        )

"""The form with which a member makes an API token."""

from typing import cast

from django import forms
from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from accounts.models import Scope, User
from accounts.models.tokens import MOST_DAYS
from accounts.names.fields import PlainTextField


class TokenForm(forms.Form):
    name = PlainTextField(
        label=_("Name"), max_length=50, help_text=_("What uses the token, so that you recognise it later.")
    )
    scopes = forms.MultipleChoiceField(
        label=_("Scopes"), widget=forms.CheckboxSelectMultiple, help_text=_("Choose as few as your program needs.")
    )
    days = forms.IntegerField(
        label=_("Days until it expires"),
        validators=[MinValueValidator(1), MaxValueValidator(MOST_DAYS)],
        widget=forms.NumberInput(attrs={"min": 1, "max": MOST_DAYS}),
        help_text=_("At most 365."),
    )

    def __init__(self, member: User, data: QueryDict | None) -> None:
        super().__init__(data, initial={"scopes": [Scope.READ], "days": settings.API_TOKEN_DAYS})
        self.member = member
        scopes = cast(forms.MultipleChoiceField, self.fields["scopes"])
        scopes.choices = [(scope.value, scope.label) for scope in member.token_scopes()]

    def save(self) -> str:
        """Make the token and return its key. Raises Refused."""
        scopes = [Scope(value) for value in self.cleaned_data["scopes"]]
        return self.member.make_token(self.cleaned_data["name"], scopes, self.cleaned_data["days"])

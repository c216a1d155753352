"""Forms that take addresses. Neither says whether an address belongs to an account."""

from typing import Any

from allauth.account import forms as allauth_forms
from allauth.account.adapter import get_adapter
from allauth.account.models import EmailAddress
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.mail.decoys import decoy
from accounts.models import User


class AddressForm(allauth_forms.AddEmailForm):
    """A new address. One that another account has gets a message, too. Its owner decides whether to confirm it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["email"].label = _("New email address")


class ResetForm(allauth_forms.ResetPasswordForm):
    """Asks for a link to choose a new password. It is sent to confirmed addresses only."""

    users: list[User]

    def clean_email(self) -> str:
        email = get_adapter().clean_email(self.cleaned_data["email"].lower())
        rows = EmailAddress.objects.filter(email=email, verified=True, user__is_active=True)
        self.users = [row.user for row in rows.select_related("user")]
        return email

    def save(self, request: HttpRequest, **kwargs: Any) -> str:
        """Send the link. For an unknown address a decoy takes the same time and is not sent."""
        self.users = self.users or [decoy()]
        return super().save(request, **kwargs)

"""Messages about changes of an account: to its confirmed address, and to the one that was there before."""

from typing import Any

from allauth.account.adapter import get_adapter
from allauth.account.models import EmailAddress
from django.http import HttpRequest

from accounts.models import User


def confirmed_address(user: User) -> str:
    """The confirmed address of `user`, or an empty text."""
    row = EmailAddress.objects.filter(user=user, verified=True).order_by("-primary").first()
    return row.email if row else ""


def address_changed(
    request: HttpRequest,
    user: User,
    from_email_address: EmailAddress | None,
    to_email_address: EmailAddress,
    **kwargs: Any,
) -> None:
    """Tell the old address. Its row is deleted by now, so `confirmed_address` does not find it."""
    if from_email_address and from_email_address.verified:
        context = {"from_email": from_email_address.email, "to_email": to_email_address.email}
        get_adapter(request).tell("account/email/email_changed", user, from_email_address.email, context)


def address_removed(request: HttpRequest, user: User, email_address: EmailAddress, **kwargs: Any) -> None:
    """Tell the address that was removed."""
    if email_address.verified:
        context = {"deleted_email": email_address.email}
        get_adapter(request).tell("account/email/email_deleted", user, email_address.email, context)

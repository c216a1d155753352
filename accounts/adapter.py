"""What allauth's forms do with accounts: handles in lower case, display names, passwords."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core.exceptions import ImmediateHttpResponse
from django.contrib.auth.hashers import make_password
from django.core.exceptions import ValidationError
from django.db import transaction
from django.shortcuts import redirect
from django.utils.translation import gettext_lazy as _

from accounts import security_log
from accounts.handles import handle_shape, refuse_reserved
from accounts.joining import modes
from accounts.leaving import coming_back
from accounts.mail import links
from accounts.mail.decoys import NO_ONE, is_decoy
from accounts.mail.notices import confirmed_address
from accounts.models import RetiredHandle, User
from accounts.names.protection import refuse_imitation
from accounts.sessions.devices import device_of
from accounts.shared.throttles import network

#: allauth sends these after the row of the address is gone. `accounts.mail.notices` has the row still.
TOLD_BEFORE = {"account/email/email_changed", "account/email/email_deleted"}


class AccountAdapter(DefaultAccountAdapter):
    error_messages = DefaultAccountAdapter.error_messages | {
        "username_taken": _("This handle is taken. Please choose another one."),
        "username_password_mismatch": _("Wrong handle or password."),
    }

    def clean_username(self, username: str, shallow: bool = False) -> str:
        """The handle in lower case. Checks its shape, reserved words and, unless `shallow`, that it is free."""
        handle = username.strip().lower()
        handle_shape(handle)
        refuse_reserved(handle)
        refuse_imitation(handle)
        if not shallow and RetiredHandle.among([handle]):
            raise ValidationError(self.error_messages["username_taken"], code="username_taken")
        return super().clean_username(handle, shallow)

    def respond_user_inactive(self, request: Any, user: User) -> Any:
        """Ask a member whose account is closed whether to come back. The password was right."""
        if coming_back.offer(request, user):
            return redirect("come_back")
        return super().respond_user_inactive(request, user)

    def _get_login_attempts_cache_key(self, request: Any, **credentials: Any) -> str:
        """Count failed log-ins for a handle and an address together.

        By the handle alone, five wrong passwords from anywhere would lock its owner out.
        """
        by_handle = super()._get_login_attempts_cache_key(request, **credentials)
        return f"{by_handle}:{network(request.META['REMOTE_ADDR'])}"

    def pre_authenticate(self, request: Any, **credentials: Any) -> None:
        """Refuse further passwords after too many wrong ones. The security log is told."""
        try:
            super().pre_authenticate(request, **credentials)
        except ValidationError:
            security_log.locked_out(credentials, request)
            raise

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        super().send_mail(template_prefix, email, links.public(context, self.request))

    def send_password_reset_mail(self, user: User, email: str, context: dict[str, Any]) -> None:
        super().send_password_reset_mail(user, NO_ONE if is_decoy(user) else email, context)

    def send_notification_mail(
        self, template_prefix: str, user: User, context: dict[str, Any] | None = None, email: str | None = None
    ) -> None:
        """Tell a member of a change at their confirmed address. Addresses that are gone are told by `mail.notices`."""
        if template_prefix not in TOLD_BEFORE and (address := confirmed_address(user)):
            self.tell(template_prefix, user, address, context or {})

    def tell(self, template_prefix: str, user: User, email: str, context: dict[str, Any]) -> None:
        """Tell of a change at this address, whatever the rows of addresses say by now."""
        device = device_of(self.request.headers.get("User-Agent", ""))
        super().send_notification_mail(template_prefix, user, context | {"user": user, "device": device}, email)

    def is_open_for_signup(self, request: Any) -> bool:
        return modes.may_sign_up(request)

    @transaction.atomic
    def save_user(self, request: Any, user: User, form: Any, commit: bool = True) -> User:
        if not modes.use_link(request):
            raise ImmediateHttpResponse(redirect("account_signup"))  # which says that the link was used
        user.display_name = form.cleaned_data.get("display_name", "")
        return super().save_user(request, user, form, commit)

    def set_password(self, user: User, password: str) -> None:
        """Write only the password: a copy of the row read earlier must not undo what staff have changed since.

        allauth's signals tell which session goes on (`accounts.sessions.endings`). `User.set_password` would end all.
        """
        user.password = make_password(password)
        user.save(update_fields=["password"])

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AccountsConfig(AppConfig):
    name = "accounts"
    verbose_name = _("People")

    def ready(self) -> None:
        from allauth.account.signals import (
            email_changed,
            email_confirmed,
            email_removed,
            password_changed,
            password_reset,
            password_set,
        )
        from allauth.mfa.signals import authenticator_added
        from django.contrib.auth.signals import user_logged_in, user_logged_out

        from accounts import proven
        from accounts.mail import notices
        from accounts.sessions import endings, second_factor, seen

        email_confirmed.connect(proven.address_confirmed, dispatch_uid="accounts.proven")
        user_logged_in.connect(seen.note, dispatch_uid="accounts.sessions")
        user_logged_out.connect(endings.logged_out, dispatch_uid="accounts.sessions")
        password_changed.connect(endings.password_changed, dispatch_uid="accounts.sessions")
        password_set.connect(endings.password_changed, dispatch_uid="accounts.sessions")
        password_reset.connect(endings.password_reset, dispatch_uid="accounts.sessions")
        email_changed.connect(notices.address_changed, dispatch_uid="accounts.mail")
        email_removed.connect(notices.address_removed, dispatch_uid="accounts.mail")
        authenticator_added.connect(second_factor.added, dispatch_uid="accounts.sessions")

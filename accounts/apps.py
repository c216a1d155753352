from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AccountsConfig(AppConfig):
    name = "accounts"
    verbose_name = _("People")

    def ready(self) -> None:
        from allauth.account import signals as allauth_signals
        from allauth.mfa.signals import authenticator_added
        from django.contrib.auth.signals import user_logged_in, user_logged_out

        from accounts import proven
        from accounts.mail import notices
        from accounts.sessions import endings, second_factor, seen

        user_logged_in.connect(seen.note, dispatch_uid="accounts.sessions")
        user_logged_out.connect(endings.logged_out, dispatch_uid="accounts.sessions")
        allauth_signals.email_confirmed.connect(proven.address_confirmed, dispatch_uid="accounts.proven")
        allauth_signals.password_changed.connect(endings.password_changed, dispatch_uid="accounts.sessions")
        allauth_signals.password_set.connect(endings.password_changed, dispatch_uid="accounts.sessions")
        allauth_signals.password_reset.connect(endings.password_reset, dispatch_uid="accounts.sessions")
        allauth_signals.email_changed.connect(notices.address_changed, dispatch_uid="accounts.mail")
        allauth_signals.email_removed.connect(notices.address_removed, dispatch_uid="accounts.mail")
        authenticator_added.connect(second_factor.added, dispatch_uid="accounts.sessions")
        self.log_security()

    def log_security(self) -> None:
        """Have the security log hear of log-ins and changes of accounts."""
        from allauth.account import signals as account
        from allauth.mfa import signals as mfa
        from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed

        from accounts import security_log
        from accounts.security_log import Kind

        user_login_failed.connect(security_log.log_in_failed, dispatch_uid="accounts.security_log")
        security_log.listen(
            (
                (account.user_signed_up, Kind.SIGNED_UP),
                (user_logged_in, Kind.LOGGED_IN),
                (user_logged_out, Kind.LOGGED_OUT),
                (account.password_changed, Kind.PASSWORD_CHANGED),
                (account.password_set, Kind.PASSWORD_CHANGED),
                (account.password_reset, Kind.PASSWORD_RESET),
                (account.email_added, Kind.ADDRESS_ADDED),
                (account.email_confirmed, Kind.ADDRESS_CONFIRMED),
                (account.email_changed, Kind.ADDRESS_CHANGED),
                (account.email_removed, Kind.ADDRESS_REMOVED),
                (mfa.authenticator_added, Kind.FACTOR_ADDED),
                (mfa.authenticator_removed, Kind.FACTOR_REMOVED),
                (mfa.authenticator_reset, Kind.FACTOR_RENEWED),
                (mfa.authentication_failed, Kind.FACTOR_REFUSED),
            )
        )

"""What a member logs in with: a new password ends all sessions and API tokens, in whatever way it is set."""

from functools import partial
from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction

from accounts import signals


class Credentials(AbstractBaseUser):
    """A row with a password. Django's sessions end with it in the database; this ends what they have opened."""

    api_tokens: Any  # the manager that ApiToken.user makes
    sessions: Any  # that of MemberSession.user
    _password: str | None  # Django: the new one in clear, until the row is saved
    _password_removed = False

    class Meta:
        abstract = True

    def set_unusable_password(self) -> None:
        super().set_unusable_password()
        self._password_removed = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Write the row. If that changes the password, end all sessions and tokens.

        A hash that Django only makes stronger at a log-in is no change.
        """
        fields = kwargs.get("update_fields")
        changed = (self._password is not None or self._password_removed) and not self._state.adding
        with transaction.atomic():
            super().save(*args, **kwargs)
            if changed and (fields is None or "password" in fields):
                self._password_removed = False
                self.revoke_tokens()
                self.tell_sessions_ended()

    def tell_sessions_ended(self, **which: str) -> None:
        """End what the sessions have opened, after commit. `which` names them; none is all (`accounts.signals`)."""
        ended = partial(signals.sessions_ended.send, type(self), user=self, **which)
        transaction.on_commit(ended, robust=True)

    @transaction.atomic
    def log_out_everywhere(self) -> None:
        """End all my sessions and API tokens, with their pages and their sound. Safe to repeat."""
        self.sessions.all().end()
        self.revoke_tokens()
        self.tell_sessions_ended()

    def revoke_tokens(self) -> None:
        """Delete my API tokens and end their websockets. Safe to repeat."""
        self.api_tokens.all().revoke()

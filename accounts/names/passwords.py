"""A password is as long as it is without the words that everyone tries first on this site."""

import re
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

WORDS = ("spaces", "space", "audio", "voice", "room", "host", "admin", "password", "passwort", "login", "welcome")
LEAST = 6  # characters besides these words


class WordsOfTheSite:
    """Validator of AUTH_PASSWORD_VALIDATORS (OWASP ASVS 5.0, 6.2.11)."""

    def validate(self, password: str, user: Any = None) -> None:
        rest = re.sub("|".join(map(re.escape, self._words())), "", password, flags=re.IGNORECASE)
        if len(rest) < LEAST:
            raise ValidationError(
                _("This password is made of words that are tried first on this site. Add others."),
                code="password_words",
            )

    def get_help_text(self) -> str:
        return str(_("Words such as “Spaces” and the name of this site do not make your password safer."))

    def _words(self) -> list[str]:
        """The longest first, so that no part of one is left over."""
        host = urlsplit(settings.PUBLIC_URL).hostname or ""
        return sorted({*WORDS, *(part for part in host.split(".") if len(part) > 2)}, key=len, reverse=True)

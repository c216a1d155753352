"""Secrets of second factors, encrypted in the database. With them, a stolen backup would make codes."""

from allauth.mfa.adapter import DefaultMFAAdapter
from cryptography.fernet import InvalidToken
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from accounts.shared.ciphers import cipher

LABEL = b"spaces second factor"
UNREADABLE = _("Your second factor cannot be read any more. Ask the people who run this site to reset it.")


class FactorAdapter(DefaultMFAAdapter):
    """allauth calls it for secrets of authenticator apps and for seeds of recovery codes."""

    def encrypt(self, text: str) -> str:
        return cipher(LABEL).encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        """Raises ValidationError if SECRET_KEY has changed. Then a form refuses the code and says why."""
        try:
            return cipher(LABEL).decrypt(encrypted_text.encode()).decode()
        except InvalidToken:
            raise ValidationError(UNREADABLE, code="unreadable") from None

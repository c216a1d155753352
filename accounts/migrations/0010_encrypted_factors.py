"""Encrypts the secrets of second factors that exist. They were readable in the database and in backups."""

from collections.abc import Callable
from typing import Any

from cryptography.fernet import InvalidToken
from django.db import migrations

from accounts.shared.ciphers import cipher

LABEL = b"spaces second factor"
FIELDS = ("secret", "seed")


def encrypted(text: str) -> str:
    """Safe to repeat: what is encrypted already stays as it is."""
    try:
        cipher(LABEL).decrypt(text.encode())
    except InvalidToken:
        return cipher(LABEL).encrypt(text.encode()).decode()
    return text


def decrypted(text: str) -> str:
    return cipher(LABEL).decrypt(text.encode()).decode()


def change(apps: Any, how: Callable[[str], str]) -> None:
    for row in apps.get_model("mfa", "Authenticator").objects.filter(type__in=["totp", "recovery_codes"]).iterator():
        row.data |= {name: how(row.data[name]) for name in FIELDS if name in row.data}
        if "migrated_codes" in row.data:
            row.data["migrated_codes"] = [how(code) for code in row.data["migrated_codes"]]
        row.save(update_fields=["data"])


def forwards(apps: Any, schema_editor: Any) -> None:
    change(apps, encrypted)


def backwards(apps: Any, schema_editor: Any) -> None:
    change(apps, decrypted)


class Migration(migrations.Migration):
    dependencies = [("accounts", "0009_signup_links"), ("mfa", "0003_authenticator_type_uniq")]

    operations = [migrations.RunPython(forwards, backwards, elidable=True)]

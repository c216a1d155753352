"""Handles, the short names by which people are found, and what a display name may not contain."""

from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.names.texts import plain_text

HANDLE_LENGTH = 30
HANDLE_PATTERN = r"^[a-z0-9_]{3,30}$"  # what members may choose
STORED_PATTERN = r"^[a-z0-9_]{2,30}$"  # what rows may hold: operators may give staff two letters, such as mo

# Names that look like the service or its staff, and words with which addresses of the site begin.
_RESERVED = """
account accounts admin administrator anonymous api everyone follow health help hls host me media metrics mod
moderation moderator moderators nobody null official people recordings root safety search settings spaces staff
static status support system team trust undefined uploads user www
"""
RESERVED_HANDLES = frozenset(_RESERVED.split())

handle_shape = RegexValidator(
    HANDLE_PATTERN, _("A handle has 3 to 30 characters: letters a to z, digits and underscores."), code="handle_shape"
)


def refuse_reserved(handle: str) -> None:
    """Raise ValidationError if members may not choose this handle."""
    if handle.lower() in RESERVED_HANDLES:
        raise ValidationError(_("This handle is reserved. Please choose another one."), code="handle_reserved")


def plain_name(name: str) -> None:
    """Raise ValidationError if `plain_text` refuses this display name."""
    plain_text(name, required=bool(name))


class HandleField(models.CharField):
    """A handle, in lower case in rows and look-ups: `Hana` finds `hana` and cannot exist beside it."""

    def to_python(self, value: Any) -> Any:
        value = super().to_python(value)
        return value.lower() if isinstance(value, str) else value

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        handle = self.to_python(getattr(model_instance, self.attname))
        setattr(model_instance, self.attname, handle)
        return handle

    def get_prep_value(self, value: Any) -> Any:
        return self.to_python(super().get_prep_value(value))

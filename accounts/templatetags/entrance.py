"""Tags of the pages for people without an account."""

from django import template
from django.conf import settings

register = template.Library()


@register.simple_tag
def signup_mode() -> str:
    """Who may make an account: open, invited or closed."""
    return str(settings.SIGNUP_MODE)

"""Whether this site can send mail, for pages that promise some."""

from django import template
from django.conf import settings

register = template.Library()


@register.simple_tag
def sends_mail() -> bool:
    """Whether an SMTP server is set; without one, mail is printed to the log and reaches nobody."""
    return bool(settings.EMAIL_HOST)

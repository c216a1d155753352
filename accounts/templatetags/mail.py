"""Whether this site can send mail, for pages that mention it."""

from django import template
from django.conf import settings

register = template.Library()


@register.simple_tag
def sends_mail() -> bool:
    """Whether an SMTP server is set. Without one, no mail is sent. A demonstration prints it."""
    return bool(settings.EMAIL_HOST)

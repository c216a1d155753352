"""Whether this site can send mail, for pages that mention it."""

from django import template

from accounts import mail

register = template.Library()
register.simple_tag(mail.sends_mail)

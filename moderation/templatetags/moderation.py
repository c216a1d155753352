"""Filters for the desk."""

from datetime import timedelta

from django import template
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from rooms.rules import Role
from rooms.templatetags.spaces import clock

register = template.Library()

ROLES = {
    Role.HOST: _("host"),
    Role.SPEAKER: _("on stage"),
    Role.LISTENER: _("listening"),
}


@register.filter
def room_time(milliseconds: int) -> str:
    """Room time as a clock: 0:42, 12:05, 1:03:20."""
    return clock(timedelta(milliseconds=milliseconds))


@register.filter
def role_name(role: str) -> Promise | str:
    """A role in words."""
    return ROLES[Role(role)] if role else ""

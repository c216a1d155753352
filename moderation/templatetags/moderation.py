"""Filters of the desk."""

from datetime import timedelta

from django import template

from rooms.templatetags.spaces import clock

register = template.Library()


@register.filter
def room_time(milliseconds: int) -> str:
    """Room time as a clock: 0:42, 12:05, 1:03:20."""
    return clock(timedelta(milliseconds=milliseconds))

"""Tags of the pages about Spaces: who is live, how long, and the facts that the page's modules start from."""

from datetime import timedelta
from typing import Any

from django import template
from django.conf import settings
from django.templatetags.static import static
from django.urls import reverse

from accounts.handles import STORED_PATTERN
from accounts.models import User
from rooms import rules
from rooms.live.snapshot import FACES
from rooms.models import Space
from rooms.protocol.commands import REACTIONS

register = template.Library()


@register.filter
def lasted(space: Space) -> timedelta:
    """How long a Space has been live, or was."""
    return timedelta(milliseconds=space.room_ms)


@register.simple_tag
def live_space(host: User, viewer: User) -> Space | None:
    """The live Space of `host` if lists show it to `viewer`."""
    return Space.objects.listed_for(viewer).filter(host=host).first()


@register.filter
def clock(duration: timedelta) -> str:
    """A duration as a clock: 0:42, 12:05, 1:03:20."""
    minutes, seconds = divmod(max(0, int(duration.total_seconds())), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


@register.simple_tag
def page_facts() -> dict[str, Any]:
    """What the scripts need to know of the server: rules, addresses, limits. Written into the page by `json_script`."""
    return {
        "rules": {role.value: [action.value for action in rules.allowed(role)] for role in rules.Role},
        "targets": {action.value: sorted(role.value for role in roles) for action, roles in rules.TARGETS.items()},
        "reactions": list(REACTIONS),
        "faces": FACES,
        "hls": settings.HLS,
        "hlsUrl": settings.HLS_URL,
        "relay": bool(settings.TURN_URLS),
        "handle": STORED_PATTERN,
        "retentionDays": settings.RECORDING_RETENTION_DAYS,
        "icons": static("frame/icons.svg"),
        "personUrl": reverse("person", args=["HANDLE"]),
        "spaceUrl": reverse("space", args=["00000000-0000-0000-0000-000000000000"]),
        "loginUrl": reverse("account_login"),
        "relationUrl": reverse("api_person", args=["HANDLE"]),
        "followUrl": reverse("api_follow", args=["HANDLE"]),
        "blockUrl": reverse("block", args=["HANDLE"]),
        "reportUrl": reverse("report"),
    }

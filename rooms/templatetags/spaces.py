"""Tags of the pages: icons, faces, the import map, and the facts that the page's modules start from."""

import json
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from django import template
from django.conf import settings
from django.template.context import Context
from django.templatetags.static import static
from django.urls import reverse
from django.utils import formats
from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts.handles import STORED_PATTERN
from accounts.models import User
from rooms import protocol, rules
from rooms.live.snapshot import FACES
from rooms.models import Space

register = template.Library()

MODULES = Path(__file__).resolve().parent.parent / "static" / "rooms"
TONES = 8
SPRITE = "frame/icons.svg"


@cache
def module_names() -> tuple[str, ...]:
    """File names of the ES modules, e.g. `socket.js`."""
    return tuple(sorted(path.name for path in MODULES.glob("*.js")))


@register.simple_tag(takes_context=True)
def importmap(context: Context) -> SafeString:
    """`<script type="importmap">`: `rooms/<module>.js` -> its address, hashed where the storage hashes names.

    The only inline script of a page; it carries the nonce of the request, if there is one."""
    imports = {f"rooms/{name}": static(f"rooms/{name}") for name in module_names()}
    text = json.dumps({"imports": imports}, separators=(",", ":")).replace("<", "\\u003c")
    nonce = getattr(context.get("request"), "csp_nonce", "")
    return format_html('<script type="importmap" nonce="{}">{}</script>', str(nonce), SafeString(text))


@register.simple_tag
def source_url() -> str:
    """Where the source of this installation is; empty where the operator has not said."""
    return settings.SPACES_SOURCE_URL


@register.simple_tag
def version() -> str:
    """The version of Spaces that shows this page, e.g. `0.2.0`."""
    return settings.SPACES_VERSION


@register.simple_tag
def icon(name: str, label: str = "") -> SafeString:
    """One drawing of `icons.svg`. With a label it speaks for itself, else it is decoration."""
    spoken = format_html('role="img" aria-label="{}"', label) if label else SafeString('aria-hidden="true"')
    return format_html('<svg class="icon" {}><use href="{}#{}"></use></svg>', spoken, static(SPRITE), name)


@register.filter
def tone(handle: str) -> int:
    """Which of the calm colours a face without a picture has. `dom.js` counts the same way."""
    return sum(ord(letter) for letter in handle) % TONES


@register.filter
def initials(name: str) -> str:
    """At most two letters for a face without a picture."""
    words = name.split() or ["?"]
    return "".join(word[0] for word in (words if len(words) == 1 else [words[0], words[-1]])).upper()


@register.filter
def lasted(space: Space) -> timedelta:
    """How long a Space has been live, or was."""
    return timedelta(milliseconds=space.room_ms)


@register.filter
def moment(when: datetime) -> SafeString:
    """A date and time for a member: in UTC, which `moment.js` turns into the reader's own zone."""
    text = formats.date_format(when.astimezone(UTC), "DATETIME_FORMAT")
    return format_html('<time datetime="{}" data-view="moment">{} (UTC)</time>', when.isoformat(), text)


@register.simple_tag
def live_space(host: User, viewer: User) -> Space | None:
    """The live Space of `host`, where `viewer` may enter it."""
    return Space.objects.enterable_by(viewer).filter(host=host).first()


@register.filter
def clock(duration: timedelta) -> str:
    """0:42, 12:05, 1:03:20."""
    minutes, seconds = divmod(max(0, int(duration.total_seconds())), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


@register.simple_tag
def page_facts() -> dict[str, Any]:
    """What the modules need to know of the server: rules, addresses, limits. Put into the page by `json_script`."""
    return {
        "rules": {role.value: [action.value for action in rules.allowed(role)] for role in rules.Role},
        "targets": {action.value: sorted(role.value for role in roles) for action, roles in rules.TARGETS.items()},
        "reactions": list(protocol.REACTIONS),
        "faces": FACES,
        "hls": settings.HLS,
        "hlsUrl": settings.HLS_URL,
        "relay": bool(settings.TURN_URLS),
        "handle": STORED_PATTERN,
        "retentionDays": settings.RECORDING_RETENTION_DAYS,
        "icons": static(SPRITE),
        "personUrl": reverse("person", args=["HANDLE"]),
        "spaceUrl": reverse("space", args=["00000000-0000-0000-0000-000000000000"]),
        "loginUrl": reverse("account_login"),
        "relationUrl": reverse("api_person", args=["HANDLE"]),
        "followUrl": reverse("api_follow", args=["HANDLE"]),
        "blockUrl": reverse("block", args=["HANDLE"]),
        "reportUrl": reverse("report"),
    }

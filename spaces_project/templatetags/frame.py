"""Tags of the site's frame: import map, icons, faces, moments, the link to the source."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache

from django import template
from django.conf import settings
from django.template.context import Context
from django.templatetags.static import static
from django.utils import formats
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()

#: Folders of static files with ES modules, by the first part of a module's name.
MODULES = {
    "frame": settings.BASE_DIR / "spaces_project" / "static" / "frame",
    "rooms": settings.BASE_DIR / "rooms" / "static" / "rooms",
}
TONES = 8
SPRITE = "frame/icons.svg"


@cache
def module_names() -> tuple[str, ...]:
    """Names of all ES modules, e.g. `rooms/wire/socket.js`."""
    return tuple(sorted(_modules()))


def _modules() -> Iterator[str]:
    for group, folder in MODULES.items():
        yield from (f"{group}/{path.relative_to(folder).as_posix()}" for path in folder.rglob("*.js"))


@register.simple_tag(takes_context=True)
def importmap(context: Context) -> SafeString:
    """`<script type="importmap">`: each module's name and its address, hashed if the storage hashes names.

    It is the only inline script of a page. It carries the nonce of the request, if there is one.
    """
    imports = {name: static(name) for name in module_names()}
    text = json.dumps({"imports": imports}, separators=(",", ":")).replace("<", "\\u003c")
    nonce = getattr(context.get("request"), "csp_nonce", "")
    return format_html('<script type="importmap" nonce="{}">{}</script>', str(nonce), SafeString(text))


@register.simple_tag
def source_url() -> str:
    """Address of the source of this installation; empty if the operator has not set it."""
    return settings.SPACES_SOURCE_URL


@register.simple_tag
def version() -> str:
    """The version of Spaces that shows this page, e.g. `0.2.0`."""
    return settings.SPACES_VERSION


@register.simple_tag
def icon(name: str, label: str = "") -> SafeString:
    """One drawing of `icons.svg`. With a label it is an image with that name, without one it is decoration."""
    spoken = format_html('role="img" aria-label="{}"', label) if label else SafeString('aria-hidden="true"')
    return format_html('<svg class="icon" {}><use href="{}#{}"></use></svg>', spoken, static(SPRITE), name)


@register.filter
def tone(handle: str) -> int:
    """Number of the calm colour of a face without a picture. `frame/dom.js` counts the same way."""
    return sum(ord(letter) for letter in handle) % TONES


@register.filter
def initials(name: str) -> str:
    """At most two letters for a face without a picture."""
    words = name.split() or ["?"]
    return "".join(word[0] for word in (words if len(words) == 1 else [words[0], words[-1]])).upper()


@register.filter
def moment(when: datetime) -> SafeString:
    """A date and time in UTC. `frame/moment.js` shows it in the reader's own zone."""
    text = formats.date_format(when.astimezone(UTC), "DATETIME_FORMAT")
    return format_html('<time datetime="{}" data-view="moment">{} (UTC)</time>', when.isoformat(), text)

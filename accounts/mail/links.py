"""Links in email lead to PUBLIC_URL. The header Host of a request is what its sender wrote."""

from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest


def public(context: dict[str, Any], request: HttpRequest | None) -> dict[str, Any]:
    """What allauth writes into a message, and `site_url`. Links and name of the site are those of PUBLIC_URL if set."""
    if not settings.PUBLIC_URL:
        return context | ({"site_url": f"{request.scheme}://{request.get_host()}"} if request else {})
    links = {name: _on_site(value) for name, value in context.items() if name.endswith("_url") and value}
    return context | links | {"current_site": site(), "site_url": settings.PUBLIC_URL.rstrip("/")}


def site() -> SimpleNamespace:
    """The site as `django.contrib.sites` would describe it."""
    host = urlsplit(settings.PUBLIC_URL).netloc
    return SimpleNamespace(name=host, domain=host)


def _on_site(link: str) -> str:
    own = urlsplit(settings.PUBLIC_URL)
    return urlsplit(link)._replace(scheme=own.scheme, netloc=own.netloc).geturl()

"""The findings of the doctor's checks, and questions that several checks ask."""

from dataclasses import dataclass
from ipaddress import ip_network
from urllib.parse import urlsplit

from django.conf import settings

LOCAL_HOSTS = {"localhost", "127.0.0.1", "::1"}
INTERNAL_NAMES = (".internal", ".local", ".lan", ".home.arpa")  # RFC 6762, RFC 8375, and what ICANN keeps free


@dataclass(frozen=True)
class Finding:
    """One thing that was checked. `mend` says what to do. A warning does not make the doctor fail."""

    what: str
    ok: bool
    detail: str
    mend: str = ""
    warning: bool = False


def good(what: str, detail: str) -> Finding:
    return Finding(what, True, detail)


def bad(what: str, detail: str, mend: str) -> Finding:
    return Finding(what, False, detail, mend)


def doubtful(what: str, detail: str, mend: str) -> Finding:
    return Finding(what, False, detail, mend, warning=True)


def is_network(text: str) -> bool:
    """Whether the text is an address or a network of addresses."""
    try:
        ip_network(text, strict=False)
    except ValueError:
        return False
    return True


def is_on_the_internet() -> bool:
    """Whether PUBLIC_URL leads into the internet and not into a private network, by its name or address."""
    host = urlsplit(settings.PUBLIC_URL).hostname or "localhost"
    if is_network(host):
        return not ip_network(host).is_private
    return "." in host and not host.endswith(INTERNAL_NAMES)


def is_public_site() -> bool:
    """Whether members come from other machines."""
    return (urlsplit(settings.PUBLIC_URL).hostname or "localhost") not in LOCAL_HOSTS

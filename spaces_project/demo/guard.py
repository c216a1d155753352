"""Whether a request comes from this machine, and from a click. Links that log in answer to nothing else."""

import re
from ipaddress import ip_address

from django.http import HttpRequest
from django.http.request import split_domain_port

# What proxies add. One of them means that the peer is not who asks, whatever its address.
FORWARDING = re.compile(
    r"HTTP_(.*FORWARDED.*|VIA|.*CLIENT_?IP|.*(REAL|CONNECTING|USER|REMOTE)_IP|.*REMOTE_ADDR|X_PROXY.*|X_ORIGINAL_.*"
    r"|X_ENVOY_.*|CF_.*|CDN_LOOP|X_AMZN?_.*|X_COMING_FROM|TAILSCALE_.*)"
)
SPECULATION = ("HTTP_SEC_PURPOSE", "HTTP_PURPOSE", "HTTP_X_PURPOSE", "HTTP_X_MOZ")  # prefetch, prerender, preview
# What a click, a typed address or a link of a terminal has; browsers that send none of these are not held to them.
CLICKED = {"HTTP_SEC_FETCH_SITE": {"none", "same-origin"}, "HTTP_SEC_FETCH_MODE": {"navigate"}}
CLICKED |= {"HTTP_SEC_FETCH_DEST": {"document"}}


def is_from_here(request: HttpRequest) -> bool:
    """A loopback peer, no word of a proxy, and a loopback name for a host, which no foreign page can borrow."""
    passed_on = getattr(request, "scope", {}).get("forwarded", False) or any(map(FORWARDING.fullmatch, request.META))
    if passed_on or _is_asked_as_by_a_proxy(request):
        return False
    return _is_loopback(request.META.get("REMOTE_ADDR", "")) and _names_loopback(request)


def is_clicked(request: HttpRequest) -> bool:
    """Not fetched ahead, not embedded, not sent by another site."""
    if any(name in request.META for name in SPECULATION):
        return False
    return all(request.META.get(name) in {None, *wanted} for name, wanted in CLICKED.items())


def _is_asked_as_by_a_proxy(request: HttpRequest) -> bool:
    """HTTP/1.0, or a connection for one request. No browser asks this way.

    nginx does when only `proxy_pass` is set. It then adds no header and names loopback as the host.
    """
    old = getattr(request, "scope", {}).get("http_version") == "1.0"
    return old or "close" in request.META.get("HTTP_CONNECTION", "").lower()


def _names_loopback(request: HttpRequest) -> bool:
    host, _port = split_domain_port(request.META.get("HTTP_HOST", ""))
    return host == "localhost" or _is_loopback(host.strip("[]"))


def _is_loopback(text: str) -> bool:
    try:
        address = ip_address(text)
    except ValueError:
        return False
    return (getattr(address, "ipv4_mapped", None) or address).is_loopback

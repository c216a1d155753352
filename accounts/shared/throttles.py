"""How many requests the API takes: a budget for each member, and one for each address.

Every request of a member counts against both; a stranger's counts against the address. The rates are the
settings API_MEMBER_PER_MINUTE and API_ADDRESS_PER_MINUTE. The counts are in the cache, which all web processes share.
"""

from ipaddress import IPv6Address, ip_address, ip_network
from typing import Any

from rest_framework.request import Request
from rest_framework.settings import api_settings
from rest_framework.throttling import BaseThrottle, SimpleRateThrottle

from accounts import budgets

IPV6_NETWORK = 64  # bits: the network of one household; single addresses would give it 2**64 budgets


class _Throttle(SimpleRateThrottle):
    scope: str

    def get_rate(self) -> str:
        return str(api_settings.DEFAULT_THROTTLE_RATES[self.scope])

    def allow_request(self, request: Request, view: Any) -> bool:
        """Whether there is room in the budget. `request.counted` says that the budgets were asked."""
        request.counted = True  # type: ignore[attr-defined]
        return bool(super().allow_request(request, view))

    def _key(self, ident: object) -> str:
        return self.cache_format % {"scope": self.scope, "ident": ident}


class MemberThrottle(_Throttle):
    scope = "member"

    def get_cache_key(self, request: Request, view: Any) -> str | None:
        return self._key(request.user.pk) if request.user.is_authenticated else None


class AddressThrottle(_Throttle):
    scope = "address"

    def get_cache_key(self, request: Request, view: Any) -> str:
        return self._key(network(self.get_ident(request)))


class BudgetThrottle(BaseThrottle):
    """Spends the budget of the door (`accounts/budgets.py`), once the member is known. Stands last."""

    def allow_request(self, request: Request, view: Any) -> bool:
        """Always true; a spent budget is raised as Spent."""
        match = request.resolver_match
        budget = budgets.BY_DOOR.get(f"{request.method} {match.view_name}") if match else None
        if budget is not None and request.user.is_authenticated:
            budgets.spend(budget, request.user.pk)
        return True


def network(address: str) -> str:
    """What counts as one address: an IPv4 address, or the /64 network of an IPv6 address; other text as it is."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if not isinstance(parsed, IPv6Address):
        return address
    if parsed.ipv4_mapped:
        return str(parsed.ipv4_mapped)
    return str(ip_network((parsed, IPV6_NETWORK), strict=False))

"""What a token may do at the API. A request with the session of a page may do what its member may."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from accounts.models import ApiToken, Scope


class HasScope(BasePermission):
    """Reading needs the scope `read`, all other methods need `write`."""

    code = "scope_missing"
    message = _("This token does not have the scope that this needs.")

    def has_permission(self, request: Request, view: Any) -> bool:
        return _allows(request, Scope.READ if request.method in SAFE_METHODS else Scope.WRITE)


class IsModerator(HasScope):
    """For operations of staff: the member is staff, and a token has the scope `moderate`."""

    def has_permission(self, request: Request, view: Any) -> bool:
        return bool(getattr(request.user, "is_staff", False)) and _allows(request, Scope.MODERATE)


def _allows(request: Request, scope: Scope) -> bool:
    return not isinstance(request.auth, ApiToken) or request.auth.allows(scope)

"""How the API knows the member of a token: `Authorization: Bearer spaces_…` (RFC 6750)."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework.authentication import TokenAuthentication
from rest_framework.exceptions import AuthenticationFailed

from accounts.models import ApiToken, User


class BearerToken(TokenAuthentication):
    """Makes `request.auth` the ApiToken. A token that does not open anything is refused with 401."""

    keyword = "Bearer"

    def authenticate_credentials(self, key: str) -> tuple[User, Any]:
        token = ApiToken.objects.of_key(key)
        if token is None:
            raise AuthenticationFailed(_("This token is unknown, expired or revoked."))
        token.note_use()
        return token.user, token

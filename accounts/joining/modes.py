"""Who may make an account: the setting SIGNUP_MODE, and the link that a visitor came with.

The key of a link stays in the session until the account is made, so that it does not have to stay in addresses.
"""

from django.conf import settings
from django.http import HttpRequest

from accounts.models import SignupLink

KEY = "signup_link"


def may_sign_up(request: HttpRequest) -> bool:
    if settings.SIGNUP_MODE != "invited":
        return bool(settings.SIGNUP_MODE == "open")
    key = request.GET.get("invite") or request.session.get(KEY, "")
    if not SignupLink.is_valid(key):
        return False
    request.session[KEY] = key
    return True


def use_link(request: HttpRequest) -> bool:
    """Use up the visitor's link. True if an account may be made."""
    return settings.SIGNUP_MODE == "open" or SignupLink.use(request.session.pop(KEY, ""))

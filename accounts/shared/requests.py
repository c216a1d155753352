"""Types for requests of logged-in people: behind `login_required` the user is a User."""

from typing import cast

from django.http import HttpRequest
from django_htmx.middleware import HtmxDetails
from rest_framework.request import Request

from accounts.models import User


class MemberRequest(HttpRequest):
    user: User
    htmx: HtmxDetails


def member(request: Request) -> User:
    """The person who asks the API. Behind IsAuthenticated it is always a User."""
    return cast(User, request.user)

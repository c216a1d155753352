"""Requests of people who are logged in, as types: behind `login_required` the user is a User."""

from typing import cast

from django.http import HttpRequest
from django_htmx.middleware import HtmxDetails
from rest_framework.request import Request

from accounts.models import User


class MemberRequest(HttpRequest):
    user: User
    htmx: HtmxDetails


def member(request: Request) -> User:
    """Who asks the API; behind IsAuthenticated, where nobody else comes."""
    return cast(User, request.user)

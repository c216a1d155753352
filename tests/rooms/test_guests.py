"""Members whom a command logs in."""

from django.test import Client

from accounts.models import User
from rooms.management.guests import guest


def test_a_guest_is_logged_in_as_their_member(sol: User) -> None:
    one = guest(sol, speaks=False)
    page = Client(headers={"cookie": one.cookie}).get("/")
    assert (page.wsgi_request.user, one.handle, one.speaks) == (sol, "sol", False)

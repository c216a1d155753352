"""The key of the API: one per member, renewed and removed by verbs of the member."""

import pytest
from rest_framework.authtoken.models import Token

from accounts.models import User
from tests.rig.racing import at_once


def test_a_new_key_replaces_the_one_before(lior: User) -> None:
    first = lior.renew_token()
    second = lior.renew_token()
    assert first != second
    assert Token.objects.get(user=lior).key == second


def test_a_removed_key_is_gone_and_removing_is_safe_to_repeat(lior: User, hana: User) -> None:
    lior.renew_token()
    kept = hana.renew_token()
    lior.remove_token()
    lior.remove_token()
    assert Token.objects.get().key == kept


@pytest.mark.django_db(transaction=True)
def test_four_at_once_leave_one_key(lior: User) -> None:
    keys = at_once(*[User.objects.get(pk=lior.pk).renew_token for _ in range(4)])
    assert Token.objects.get(user=lior).key in keys

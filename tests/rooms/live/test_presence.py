"""Who is connected: a lease for each connection, looked up without a look at all others."""

import time

import pytest

from accounts.models import User
from rooms.live import presence
from rooms.models import Participant, Space
from rooms.store import keys
from rooms.store.client import redis_client

pytestmark = pytest.mark.django_db(transaction=True)
CROWD = 5000


def opened(tea: Space, user: User, *connections: str) -> Participant:
    """Enter through each of these connections. Returns the person as the last one knows them."""
    return [presence.enter(str(tea.pk), user, connection) for connection in connections][-1]


def lease(person: Participant, connection: str, seconds: float) -> None:
    key = keys.PRESENCE.format(space=person.space_id)
    redis_client().zadd(key, {f"{person.pk}:{connection}": time.time() + seconds})


def end(person: Participant, connection: str) -> None:
    """End a lease as `drop` does, without an event loop."""
    redis_client().zrem(keys.PRESENCE.format(space=person.space_id), f"{person.pk}:{connection}")
    redis_client().srem(keys.CONNECTIONS.format(participant=person.pk), connection)


def is_away(person: Participant) -> bool:
    presence.lose(person)
    person.refresh_from_db()
    return person.away_since is not None


def test_a_member_with_another_connection_is_not_lost(tea: Space, host: Participant, sol: User) -> None:
    person = opened(tea, sol, "first", "second")
    end(person, "first")
    assert presence.is_connected(person)
    assert not is_away(person)
    end(person, "second")
    assert not presence.is_connected(person)
    assert is_away(person)


def test_a_connection_whose_process_was_killed_counts_for_as_long_as_its_lease(
    tea: Space, host: Participant, sol: User
) -> None:
    person = opened(tea, sol, "killed")
    lease(person, "killed", -1)
    assert not presence.is_connected(person)


def test_a_lease_that_redis_has_forgotten_is_none(tea: Space, host: Participant, sol: User) -> None:
    person = opened(tea, sol, "page")
    redis_client().delete(keys.PRESENCE.format(space=tea.pk))
    assert not presence.is_connected(person)


def test_another_persons_connection_is_not_mine(tea: Space, host: Participant, sol: User, lior: User) -> None:
    mine = opened(tea, sol, "same")
    other = opened(tea, lior, "same")
    end(mine, "same")
    assert (presence.is_connected(mine), presence.is_connected(other)) == (False, True)


def test_no_one_is_lost_from_a_space_that_has_ended(tea: Space, host: Participant, sol: User) -> None:
    person = opened(tea, sol, "page")
    end(person, "page")
    tea.end()
    assert not is_away(person)


def test_the_cost_of_one_end_does_not_grow_with_the_space(tea: Space, host: Participant, sol: User) -> None:
    """A Space of thousands may end in one moment."""
    person = opened(tea, sol, "page")
    crowd: dict[str | bytes, bytes | float | int | str] = {
        f"{number}:page": time.time() + 60 for number in range(CROWD)
    }
    redis_client().zadd(keys.PRESENCE.format(space=tea.pk), crowd)
    end(person, "page")
    before = redis_client().info("stats")["total_net_output_bytes"]
    assert is_away(person)
    octets = redis_client().info("stats")["total_net_output_bytes"] - before
    print(f"{octets} octets of answers, {CROWD} others are connected")
    assert octets < CROWD

"""The standing in Redis: written newest only, for as long as the Space lives and a little longer."""

from uuid import uuid4

import pytest

from rooms.media.contract.standing import ACK_KEY, ENDED_SECONDS, KEY, Standing, parse
from rooms.store import standing
from rooms.store.client import redis_client


@pytest.fixture
def space() -> str:
    """The id of a Space of which there is no row: the store asks no database."""
    return str(uuid4())


def kept(space: str) -> Standing:
    return parse(str(redis_client().get(KEY.format(space=space))))


def test_an_older_version_never_replaces_a_newer_one(space: str) -> None:
    standing.write(Standing(space=space, version=2, started_at=1.0))
    standing.write(Standing(space=space, version=1, started_at=1.0, ended=True))
    assert kept(space) == Standing(space=space, version=2, started_at=1.0)


def test_the_standing_of_a_live_space_stays(space: str) -> None:
    standing.write(Standing(space=space, version=1, started_at=1.0))
    assert redis_client().ttl(KEY.format(space=space)) == -1


def test_the_standing_of_an_ended_space_and_its_acknowledgement_expire(space: str) -> None:
    redis_client().set(ACK_KEY.format(space=space), 1)
    standing.write(Standing(space=space, version=1, started_at=1.0, ended=True))
    for key in (KEY, ACK_KEY):
        assert 0 < redis_client().ttl(key.format(space=space)) <= ENDED_SECONDS


def test_in_effect_is_what_the_node_acknowledged(space: str) -> None:
    assert standing.in_effect(space) == 0
    redis_client().set(ACK_KEY.format(space=space), 3)
    assert standing.in_effect(space) == 3

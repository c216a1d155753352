"""Forty threads follow, unfollow, approve and block at once, against PostgreSQL: no deadlock, and every count right."""

import random
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from io import StringIO
from threading import Barrier

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.models import Count, F, Q

from accounts.models import Block, Follow, User
from accounts.refusals import Refused

THREADS = 40
SECONDS = 240  # generous: the machine may be busy with other things

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _patience(transactional_db: None) -> Iterator[None]:
    """On a busy machine, this many at once wait longer for a connection than a request would."""
    pool = connection.pool  # type: ignore[attr-defined]
    before, pool.timeout = pool.timeout, SECONDS
    yield
    pool.timeout = before


@pytest.fixture
def crowd() -> list[User]:
    return [User.objects.create_user(f"fan_{number}") for number in range(THREADS)]


def all_at_once(work: list[Callable[[], object]]) -> None:
    """Run each in a thread of its own, all starting together; the first error of any is raised here."""
    start = Barrier(len(work))

    def run(verb: Callable[[], object]) -> None:
        start.wait(SECONDS)
        try:
            verb()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(work)) as pool:
        for done in [pool.submit(run, verb) for verb in work]:
            done.result(SECONDS)


def fresh(person: User) -> User:
    """As a request of its own would read this person."""
    return User.objects.get(pk=person.pk)


def wrong_counts() -> list[tuple[str, int, int]]:
    accepted = Count("follower_rows", filter=Q(follower_rows__state=Follow.State.ACCEPTED))
    wrong = User.objects.annotate(real=accepted).exclude(follower_count=F("real"))
    return list(wrong.values_list("handle", "follower_count", "real"))


def test_forty_follow_one_at_once(crowd: list[User]) -> None:
    star = User.objects.create_user("star")
    all_at_once([partial(fan.follow, fresh(star)) for fan in crowd])
    star.refresh_from_db()
    assert star.follower_count == THREADS


def test_the_same_follow_in_forty_tabs_counts_once(crowd: list[User]) -> None:
    star, fan = crowd[:2]
    all_at_once([partial(fresh(fan).follow, fresh(star)) for _ in range(THREADS)])
    assert Follow.objects.count() == 1
    assert wrong_counts() == []
    all_at_once([partial(fresh(fan).unfollow, fresh(star)) for _ in range(THREADS)])
    star.refresh_from_db()
    assert star.follower_count == 0


def test_a_request_approved_declined_and_taken_back_at_once_counts_right(crowd: list[User]) -> None:
    star = crowd[0]
    User.objects.filter(pk=star.pk).update(approves_followers=True)
    for fan in crowd[1:]:
        fan.follow(star)

    def approve(fan: User) -> None:
        with suppress(Refused):  # declined or taken back first
            fresh(star).approve(fan)

    verbs: list[Callable[[], object]] = []
    for fan in crowd[1:14]:
        verbs += [partial(approve, fan), partial(fresh(star).decline, fan), partial(fresh(fan).unfollow, fresh(star))]
    all_at_once(verbs)
    assert wrong_counts() == []


def test_all_do_everything_to_all_at_once(crowd: list[User]) -> None:
    people = crowd[:6]

    def live(seed: int) -> None:
        chance = random.Random(seed)
        for _ in range(6):
            one, other = map(fresh, chance.sample(people, 2))
            verb = chance.choice(["follow", "follow", "unfollow", "block", "unblock", "remove_follower"])
            with suppress(Refused):  # one of them blocked the other meanwhile
                getattr(one, verb)(other)
            connection.close()  # forty threads share the few connections of the pool, as requests do

    all_at_once([partial(live, seed) for seed in range(THREADS)])
    assert wrong_counts() == []
    for block in Block.objects.all():
        assert not Follow.objects.filter(
            Q(follower=block.blocker, followee=block.blocked) | Q(follower=block.blocked, followee=block.blocker)
        ).exists()


def test_an_import_beside_a_running_site_counts_right(
    crowd: list[User], tmp_path_factory: pytest.TempPathFactory
) -> None:
    star = User.objects.create_user("star")
    file = tmp_path_factory.mktemp("import") / "follows.csv"
    file.write_text("follower,followee\n" + "".join(f"{fan.handle},star\n{fan.handle},fan_0\n" for fan in crowd[1:]))

    def come_and_go(fan: User) -> None:
        for _ in range(3):
            fresh(fan).follow(fresh(star))
            fresh(fan).unfollow(fresh(star))
            connection.close()

    verbs = [partial(call_command, "import_follows", file, stdout=StringIO()) for _ in range(2)]
    all_at_once(verbs + [partial(come_and_go, fan) for fan in crowd[1:20]])
    assert wrong_counts() == []

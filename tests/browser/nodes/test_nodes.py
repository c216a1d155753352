"""A Space that goes from one media node to another: all pages follow, and everyone hears the others again."""

import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import redis

from spaces_project.machine import embedded
from tests.browser.conftest import HANA, SOL
from tests.rig.browser.person import Person, until
from tests.rig.machine import START_SECONDS, Machine

pytestmark = [pytest.mark.browser, pytest.mark.proof]
JoinAs = Callable[..., Person]
REWRITTEN_SECONDS = 60.0  # until the standings of all Spaces are written again: every half a minute
LIMIT_SECONDS = 15.0  # ten are promised, on a machine that has nothing else to do; the printed figures tell


@pytest.fixture
def nothing_starts_again(site: Machine) -> Iterator[None]:
    """Stop the supervisor, so that killed processes stay dead."""
    assert site.process is not None
    site.process.send_signal(signal.SIGSTOP)
    yield
    site.process.send_signal(signal.SIGCONT)


def node_of_the_space(site: Machine) -> str:
    return str(site.rows("SELECT node FROM rooms_space WHERE state = 'live'")[0][0])


def boot_of_the_space(site: Machine) -> str:
    """The boot that has the Space."""
    return str(site.rows("SELECT boot FROM rooms_space WHERE state = 'live'")[0][0])


def beats(site: Machine) -> list[dict[str, Any]]:
    """The heartbeats of the living nodes."""
    client = redis.Redis.from_url(embedded.redis_url(site.var))
    said = [client.get(key) for key in client.keys("spaces:node:*")]
    client.close()
    return [json.loads(beat) for beat in said if beat]


def others_have_less_to_do(site: Machine, boot: str) -> bool:
    """Whether the next Space would clearly be placed on another node than this one."""
    loads = {str(beat["boot"]): float(beat["load"]) for beat in beats(site)}
    return len(loads) == 2 and loads.get(boot, 0.0) > 2 * min(loads.values()) + 0.005


def until_all_hear(hana: Person, sol: Person, lior: Person, since: float) -> None:
    """Wait until everyone hears the speakers again. Fail if that takes too long."""
    for listener, tone in ((lior, HANA), (lior, SOL), (hana, SOL), (sol, HANA)):
        listener.until_hears(tone)
        print(f"{listener.handle} hears {tone} Hz {time.monotonic() - since:.2f} s after the move")
    assert time.monotonic() - since < LIMIT_SECONDS


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP], ids=["killed", "stalled"])
def test_a_node_dies_and_another_one_takes_its_space(
    speakers: tuple[Person, Person], join_as: JoinAs, site: Machine, own_node: int, other_node: str,
    nothing_starts_again: None, how: signal.Signals,
) -> None:  # fmt: skip
    hana, sol = speakers
    lior = join_as("lior")
    lior.join(hana.page.url)
    lior.until_hears(HANA)
    assert node_of_the_space(site) != other_node
    died = time.monotonic()
    os.kill(own_node, how)
    print(f"{how.name}: silent after {lior.last_heard(HANA, silence=1.0):.2f} s")
    until_all_hear(hana, sol, lior, died)
    assert node_of_the_space(site) == other_node


def test_a_space_is_placed_again_while_its_node_lives(
    speakers: tuple[Person, Person], join_as: JoinAs, site: Machine, other_node: str
) -> None:
    """As after a node has lost Redis for a moment: a newcomer joins on the other node, and all pages follow."""
    hana, sol = speakers
    lior = join_as("lior")
    hana.until_hears(SOL)
    sol.until_hears(HANA)
    lior.page.goto(hana.page.url)
    before = boot_of_the_space(site)
    until(lambda: others_have_less_to_do(site, before), "the node without peers has clearly less to do", START_SECONDS)
    site.rows("UPDATE rooms_space SET node = 'gone', boot = 'gone' WHERE state = 'live' RETURNING id")
    moved = time.monotonic()
    lior.find("join").click()
    until_all_hear(hana, sol, lior, moved)
    assert boot_of_the_space(site) != before


def has_peers(site: Machine, boot: str, number: int) -> bool:
    """Whether the heartbeat of this boot says that it has `number` peers."""
    return any((beat["boot"], beat["peers"]) == (boot, number) for beat in beats(site))


def test_pages_that_miss_every_hint_leave_a_node_that_no_longer_has_their_space(
    speakers: tuple[Person, Person], join_as: JoinAs, site: Machine, other_node: str
) -> None:
    """The old node would go on with silence, which sounds like a Space in which no one talks."""
    hana, sol = speakers
    lior = join_as("lior")
    lior.join(hana.page.url)
    lior.until_hears(HANA)
    before = boot_of_the_space(site)
    until(lambda: has_peers(site, before, 3), "all three are on one node")
    name, after = next((beat["name"], beat["boot"]) for beat in beats(site) if beat["boot"] != before)
    place = f"node = '{name}', boot = '{after}', standing_version = standing_version + 1"
    site.rows(f"UPDATE rooms_space SET {place} WHERE state = 'live' RETURNING id")
    until(lambda: has_peers(site, before, 0), "the node has dropped all peers", REWRITTEN_SECONDS)
    until_all_hear(hana, sol, lior, time.monotonic())
    until(lambda: has_peers(site, after, 3), "all three are on the other node")

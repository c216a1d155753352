"""`manage.py media drain`: a Space goes to another node, and the people in it notice nothing."""

from collections.abc import Callable

import pytest

from tests.browser.conftest import HANA, SOL, Stage
from tests.browser.nodes.test_nodes import node_of_the_space
from tests.rig.browser.gaps import Gaps
from tests.rig.browser.person import Person
from tests.rig.machine import Machine

pytestmark = [pytest.mark.browser, pytest.mark.proof]
BEFORE_MS = 4000
MOST_SILENCE = 1.0  # seconds beyond the pauses of the voices themselves


def test_a_drained_node_is_empty_and_no_one_misses_a_second(
    speakers: tuple[Person, Person], join_as: Callable[..., Person], site: Machine, own_node: int, other_node: str,
    stage: Stage,
) -> None:  # fmt: skip
    hana, sol = speakers
    lior = join_as("lior")
    lior.join(hana.page.url)
    lior.until_hears(HANA)
    lior.until_hears(SOL)
    gaps = [Gaps(person) for person in (hana, sol, lior)]
    lior.page.wait_for_timeout(BEFORE_MS)
    before = [one.longest() for one in gaps]
    source = node_of_the_space(site)
    assert source != other_node
    done = site.command("media", "drain", source)
    print(done.stdout, done.stderr)
    lior.page.wait_for_timeout(2000)
    during = [one.longest() for one in gaps]
    assert done.returncode == 0, done.stderr
    assert node_of_the_space(site) == other_node
    for person, usual, longest in zip((hana, sol, lior), before, during, strict=True):
        print(f"{person.handle}: {max(0.0, longest - usual) * 1000:.0f} ms more silence than without the move")
        assert longest - usual < MOST_SILENCE
    for listener, tone in ((lior, HANA), (lior, SOL), (hana, SOL), (sol, HANA)):
        listener.until_hears(tone)
    undone = site.command("media", "drain", source, "--undo")
    assert undone.returncode == 0, undone.stderr
    stage.take_down()  # its node ends with this test

"""kill -9 of a media node with three live Spaces: all of them go on at another node, and in the archive."""

import copy
import itertools
import os
import signal
import time
from collections.abc import Iterator

import pytest

from tests.browser.nodes.test_nodes import LIMIT_SECONDS, JoinAs, beats, nothing_starts_again
from tests.rig.browser.person import Person, until
from tests.rig.machine import Machine

__all__ = ["nothing_starts_again"]

pytestmark = [pytest.mark.browser, pytest.mark.proof]
TONES = {"hana": 480, "sol": 1_100, "lior": 1_900}
CHUNK_SECONDS = 6.0  # in which at least one chunk of every track is closed
TRACKS = """SELECT s.id, t.id, extract(epoch FROM s.started_at), c.start_ms, c.start_ms + c.duration_ms
FROM recordings_chunk c
JOIN recordings_track t ON t.id = c.track_id JOIN recordings_recording r ON r.id = t.recording_id
JOIN rooms_space s ON s.id = r.space_id WHERE s.node = '{node}' AND s.state = 'live' ORDER BY 1, 2, 4"""

HOSTING = """
from accounts.models import User
for person in User.objects.filter(handle__in=("sol", "lior")):
    person.{verb}()
"""


@pytest.fixture
def three_spaces(join_as: JoinAs, site: Machine) -> Iterator[list[tuple[Person, Person]]]:
    """Three hosts at open microphones. Each listens to the next one's Space, in another page."""
    site.command("shell", "-v", "0", "-c", HOSTING.format(verb="grant_hosting"))
    hosts = [join_as(handle, tone=tone) for handle, tone in TONES.items()]
    for host in hosts:
        host.join(host.open_space(f"Tea with {host.handle}"))
        host.open_microphone()
    listeners = []
    for host, other in zip(hosts, [*hosts[1:], hosts[0]], strict=True):
        listener = copy.copy(other)
        listener.new_page()
        listener.join(host.page.url)
        listeners.append(listener)
    yield list(zip(hosts, listeners, strict=True))
    for listener in listeners:
        listener.page.close()
    site.command("shell", "-v", "0", "-c", HOSTING.format(verb="withdraw_hosting"))


def test_three_spaces_of_a_killed_node_go_on_at_another_one(
    three_spaces: list[tuple[Person, Person]], site: Machine, own_node: int, other_node: str, nothing_starts_again: None
) -> None:
    for host, listener in three_spaces:
        listener.until_hears(TONES[host.handle])
    assert {node for (node,) in site.rows("SELECT node FROM rooms_space WHERE state = 'live'")} != {other_node}
    three_spaces[0][0].page.wait_for_timeout(CHUNK_SECONDS * 1000)
    died, killed_at = time.monotonic(), time.time()
    os.kill(own_node, signal.SIGKILL)
    three_spaces[0][1].page.wait_for_timeout(500)  # what was on its way is heard
    back: dict[str, float] = {}
    until(lambda: len(heard_again(three_spaces, back, died)) == 3, "all three Spaces are heard again")
    until(lambda: peers_of(site, other_node) == 6, "hosts and listeners are connected there")
    print(f"all hosts and listeners: connected there {time.monotonic() - died:.2f} s after their node died")
    assert max(back.values()) < LIMIT_SECONDS
    assert site.rows("SELECT node FROM rooms_space WHERE state = 'live'") == [(other_node,)] * 3
    three_spaces[0][0].page.wait_for_timeout(CHUNK_SECONDS * 1000)
    until(lambda: len(tracks_of(site, other_node, after=killed_at)) == 6, "all tracks and mixes go on")
    for (space, track), chunks in tracks_of(site, other_node).items():
        gaps = [later[0] - earlier[1] for earlier, later in itertools.pairwise(chunks)]
        print(f"{space} {track}: {len(chunks)} chunks up to {chunks[-1][1]} ms, between them {gaps} ms")
        assert min(gaps, default=0) >= 0, "nothing is kept twice"
        assert len(chunks) > 1, "it began before the node died, and goes on"


def heard_again(spaces: list[tuple[Person, Person]], back: dict[str, float], died: float) -> dict[str, float]:
    """Whose Spaces are heard again, and after how many seconds each was for the first time."""
    for host, listener in spaces:
        if host.handle not in back and listener.hears(TONES[host.handle]):
            back[host.handle] = time.monotonic() - died
            print(f"{listener.handle} hears the Space of {host.handle} {back[host.handle]:.2f} s after its node died")
    return back


def peers_of(site: Machine, node: str) -> int:
    """How many peers a node has, by its latest heartbeat."""
    return sum(int(beat["peers"]) for beat in beats(site) if beat["name"] == node)


def tracks_of(site: Machine, node: str, after: float = 0.0) -> dict[tuple[str, str], list[tuple[int, int]]]:
    """The chunks of each track as room times in ms. Only tracks with a chunk after this Unix time count."""
    tracks: dict[tuple[str, str], list[tuple[int, int]]] = {}
    going_on = set()
    for space, track, zero, start, end in site.rows(TRACKS.format(node=node)):
        tracks.setdefault((str(space), str(track)), []).append((start, end))
        if float(zero) + start / 1000 > after:
            going_on.add((str(space), str(track)))
    return {name: chunks for name, chunks in tracks.items() if name in going_on}

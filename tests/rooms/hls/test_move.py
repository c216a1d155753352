"""Hearing a Space as files while a node is emptied: how much is missing between the two nodes."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from accounts.models import User
from rooms.hls import listeners
from rooms.media.hls.playlist import Playlist, Segment, parse
from rooms.media.hls.signature import folder
from rooms.models import Space
from tests.rooms.media.conftest import until
from tests.rooms.nodes.test_media import Start, _close_what_belongs_to_the_loop, beat, hear, media, start, two_voices

__all__ = ["_close_what_belongs_to_the_loop", "start"]
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.asyncio, pytest.mark.alone, pytest.mark.proof]
SECRET, WAY = "s3cret", "opus"
PATIENCE = 60.0


@asynccontextmanager
async def listening(tea: Space) -> AsyncIterator[None]:
    """A page hears the files of the Space."""

    over = asyncio.Event()

    async def demand() -> None:
        while not over.is_set():
            await listeners.demand(tea.pk)
            with suppress(TimeoutError):
                async with asyncio.timeout(listeners.DEMAND_SECONDS):
                    await over.wait()

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(demand())
        try:
            yield
        finally:
            over.set()


class Playlists:
    """The files of the Space, as seen by a player that fetches the playlist again and again."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.seen: dict[str, Segment] = {}

    def has(self, segments: int) -> bool:
        """Whether `segments` were seen by now, and as many after the latest break."""
        for one in self._read().segments:
            self.seen.setdefault(one.name, one)
        since = list(itertools.dropwhile(lambda one: not one.breaks, self.seen.values()))
        return len(since or self.seen) >= segments

    def _read(self) -> Playlist:
        try:
            return parse(self.path.read_text())
        except FileNotFoundError:
            return Playlist(0)

    @property
    def breaks(self) -> int:
        return sum(one.breaks for one in self.seen.values())


async def test_an_emptied_node_leaves_nothing_out(
    tea: Space, hana: User, sol: User, lior: User, start: Start, tmp_path: Path
) -> None:
    root = tmp_path / "hls"
    old, new = [await start(name, hls=root, hls_secret=SECRET) for name in ("old", "new")]
    new.engine.load = 0.5
    await beat(lambda nodes: nodes[0].name == "old")
    playlists = Playlists(root / folder(SECRET, str(tea.pk)) / f"{WAY}.m3u8")
    async with two_voices(tea, hana, sol, lior) as followers, listening(tea):
        await hear(followers)
        await until(lambda: playlists.has(2), PATIENCE)
        await beat(lambda nodes: any(node.name == "old" and node.spaces for node in nodes))
        print(await media("drain", "old"))
        await until(lambda: playlists.has(3) and playlists.breaks, PATIENCE)
    segments = list(playlists.seen.values())
    gaps = [other.at - one.at - one.seconds for one, other in itertools.pairwise(segments)]
    print(f"missing between one segment and the next: {[round(gap, 3) for gap in gaps]} s")
    assert playlists.breaks == 1
    assert max(gaps) < 0.5, "if only the web side notified the new node, up to two seconds would be missing"
    assert not old.engine.spaces

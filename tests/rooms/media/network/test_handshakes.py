"""The queue of DTLS records: its bound, one record per round, a fault in one of them."""

import asyncio
from collections import Counter
from types import SimpleNamespace
from typing import Any, cast

from rooms.media.network.handshakes import MAX_WAITING, Handshakes
from rooms.media.network.peer import Peer
from tests.rooms.media.conftest import until


class Fed:
    """A session that notes what it gets, and refuses or fails as configured."""

    def __init__(self, takes: bool = True) -> None:
        self.records: list[bytes] = []
        self._takes = takes

    def feed(self, record: bytes) -> bool:
        if record == b"fault":
            raise ValueError("a fault of ours")
        self.records.append(record)
        return self._takes


def peer(session: Fed) -> Peer:
    return cast(Peer, SimpleNamespace(session=session, drops=Counter[str]()))


async def test_one_record_is_looked_at_in_each_round_of_the_loop() -> None:
    handshakes, session = Handshakes(Counter()), Fed()
    one = peer(session)
    for record in (b"1", b"2", b"3"):
        handshakes.put(one, record)
    seen = []
    for _ in range(4):
        seen.append(len(session.records))
        await asyncio.sleep(0)
    assert seen == [0, 1, 2, 3]
    assert session.records == [b"1", b"2", b"3"]


async def test_what_is_beyond_the_bound_is_thrown_away_and_counted() -> None:
    drops: Counter[str] = Counter()
    handshakes, session = Handshakes(drops), Fed()
    one = peer(session)
    for number in range(MAX_WAITING + 3):
        handshakes.put(one, b"%d" % number)
    assert drops == {"handshake-queue": 3}
    await until(lambda: len(session.records) == MAX_WAITING)
    handshakes.put(one, b"later")
    await until(lambda: session.records[-1] == b"later")
    assert drops == {"handshake-queue": 3}


async def test_what_the_peer_does_not_take_counts_as_its_own() -> None:
    handshakes, session = Handshakes(Counter()), Fed(takes=False)
    handshakes.put(one := peer(session), b"1")
    await until(lambda: bool(session.records))
    assert one.drops == {"dtls-queue": 1}


async def test_a_fault_at_one_record_keeps_no_other_from_its_peer() -> None:
    handed: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: handed.append(context))
    handshakes, session = Handshakes(Counter()), Fed()
    one = peer(session)
    for record in (b"fault", b"2", b"3"):
        handshakes.put(one, record)
    await until(lambda: session.records == [b"2", b"3"])
    assert [str(context["exception"]) for context in handed] == ["a fault of ours"]

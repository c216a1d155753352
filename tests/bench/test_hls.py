"""What the benchmark of listeners of files calls late and missed, and its last line."""

import asyncio
import time

import pytest

from bench import hls
from bench.rig.files import Audience, Listener
from bench.rig.machine import Failed
from rooms.media.hls.playlist import Playlist, Segment


def listener(delay: float, missed: int = 0, fetched: int = 29) -> Listener:
    return Listener("", zero=-delay, missed=missed, fetched=fetched)


def test_the_last_line_is_of_a_thousand_listeners() -> None:
    assert hls.figures([listener(5.0), listener(6.0, missed=2)] * 1000, 8.0, 20.0, 60.0) == {
        "bench": "hls",
        "listeners": 2000,
        "app_cpu_pct_per_1000": 4.0,
        "nginx_cpu_pct_per_1000": 10.0,
        "delay_p50_s": 5.5,
        "delay_p95_s": 6.0,
        "missed": 2000,
    }


def test_a_listener_who_stops_fetching_has_missed_the_rest() -> None:
    assert hls.figures([listener(5.0, fetched=9)], 1.0, 1.0, 60.0)["missed"] == 20


async def fall_out() -> None:
    raise ConnectionResetError("closed by the server")


@pytest.mark.parametrize("last", [-1, 40], ids=["does not hear", "has fallen out"])
async def test_a_listener_who_does_not_hear_gives_no_figure(last: int) -> None:
    crowd = Audience("http://localhost", "space", ["cookie"])
    crowd.listeners[0].last = last
    crowd._tasks.append(asyncio.create_task(fall_out()))
    await asyncio.gather(*crowd._tasks, return_exceptions=True)
    with pytest.raises(Failed, match="1 of 1 listeners hear nothing" if last < 0 else "closed by the server"):
        crowd.check()


def test_it_begins_with_the_last_two_segments() -> None:
    playlist = Playlist(40, segments=[Segment(f"{n}.m4s", "init.mp4", 2.0, 2.0 * n) for n in range(4)])
    one = Listener("")
    assert [number for number, _ in one._fresh(playlist)] == [42, 43]
    one.last = 42
    assert [number for number, _ in one._fresh(playlist)] == [43]


def test_a_short_playlist_is_nothing_to_begin_with() -> None:
    assert Listener("")._fresh(Playlist(40, segments=[Segment("0.m4s", "init.mp4", 2.0, 0.0)])) == []


def test_the_delay_is_from_what_is_said_to_when_it_is_played() -> None:
    one = Listener("")
    one._play(40, time.time() - 5.0, whole=True)
    assert one.delay == pytest.approx(5.0, abs=0.5)
    assert one.missed == 0


@pytest.mark.parametrize(
    ("number", "since", "whole", "missed"),
    [(41, 3.0, True, 0), (41, 3.0, False, 1), (41, 60.0, True, 1), (43, 3.0, True, 2)],
    ids=["in time", "not there", "too late", "two left out"],
)
def test_what_is_missed(number: int, since: float, whole: bool, missed: int) -> None:
    one = Listener("")
    one._play(40, time.time() - 5.0, whole=True)
    one._play(number, time.time() - since, whole=whole)
    assert one.missed == missed

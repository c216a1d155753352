"""The word for a participant's connection: what makes it worse, and how it does not flicker."""

import pytest

from rooms.media.client.tones import tone_packets
from rooms.media.network.quality import (
    CALM_SECONDS,
    REPEAT_SECONDS,
    SILENT_SECONDS,
    Connection,
    Grade,
    Quality,
    State,
    grade,
)
from rooms.media.network.rtcp import Reception
from rooms.media.network.rtp import RtpPacket
from rooms.media.network.source import Source
from rooms.media.units import FRAME
from tests.rooms.media.conftest import World

GOOD, FAIR, POOR = Quality
START = 100.0
ALL_WELL = State(GOOD, "", "", arrives=True)


class Listener:
    """Reports every five seconds, as Chromium does."""

    def __init__(self) -> None:
        self.connection, self.now = Connection(), START
        self.expected = self.lost = 0

    def reports(self, loss: float = 0.0, *, packets: int = 250, jitter: float = 1.0, round_trip: float = 30.0) -> None:
        self.now += 5.0
        self.expected += packets
        self.lost += round(loss * packets)
        said = Reception(loss, jitter, round_trip, self.expected, self.lost)
        self.connection.on_reception(said, self.now)

    def news(self) -> State | None:
        return self.connection.news(self.now)


@pytest.fixture
def lior() -> Listener:
    """A listener who has received the word `good`."""
    lior = Listener()
    lior.reports()
    assert lior.news() == ALL_WELL
    return lior


@pytest.mark.parametrize(
    ("loss", "jitter_ms", "round_trip_ms", "is_"),
    [
        (0.0, 0.0, None, Grade(GOOD, "")),
        (0.02, 39.0, 399.0, Grade(GOOD, "")),
        (0.03, 0.0, None, Grade(FAIR, "loss")),
        (0.10, 0.0, 5000.0, Grade(POOR, "loss")),
        (0.0, 40.0, 30.0, Grade(FAIR, "jitter")),
        (0.04, 100.0, 30.0, Grade(POOR, "jitter")),
        (0.0, 0.0, 400.0, Grade(FAIR, "delay")),
        (0.0, 0.0, 1000.0, Grade(POOR, "delay")),
    ],
)
def test_the_worst_of_loss_jitter_and_round_trip_counts(
    loss: float, jitter_ms: float, round_trip_ms: float | None, is_: Grade
) -> None:
    assert grade(loss, jitter_ms, round_trip_ms) == is_


def test_nothing_is_said_before_anything_is_known() -> None:
    assert Connection().news(START) is None


def test_it_is_said_once(lior: Listener) -> None:
    for _ in range(5):
        lior.reports()
        assert lior.news() is None


def test_worse_is_said_at_once_and_better_after_a_while(lior: Listener) -> None:
    lior.reports(0.2)
    assert lior.news() == State(POOR, "loss", "in", arrives=True)
    lior.reports()
    assert lior.news() is None
    lior.reports()
    assert lior.now - START - 10 >= CALM_SECONDS
    assert lior.news() == ALL_WELL


def test_it_does_not_flicker_between_two_words(lior: Listener) -> None:
    states = []
    for number in range(20):
        lior.reports(0.2 * (number % 2))
        states.append(lior.news())
    assert {state for state in states if state} == {State(POOR, "loss", "in", arrives=True)}


def test_a_word_that_is_not_good_is_said_again_since_the_page_may_have_missed_it(lior: Listener) -> None:
    lior.reports(0.05)
    first, since = lior.news(), lior.now
    states = []
    while lior.now - since < 3 * REPEAT_SECONDS:
        lior.reports(0.05)
        states.append(lior.news())
    assert first == State(FAIR, "loss", "in", arrives=True)
    assert [state for state in states if state] == [first] * 3


def test_one_lost_packet_of_a_silent_space_says_nothing(lior: Listener) -> None:
    for _ in range(10):
        lior.reports(1 / 12, packets=12)
        assert lior.news() is None
        lior.reports(packets=60)
        assert lior.news() is None


def test_a_state_is_sent_at_most_once_a_second(lior: Listener) -> None:
    lior.reports(0.05)
    assert lior.news() is not None
    lior.connection.watch(True, None, lior.now - SILENT_SECONDS)
    lior.connection.watch(True, None, lior.now)
    assert lior.connection.news(lior.now + 0.5) is None
    assert lior.connection.news(lior.now + 1.0) == State(FAIR, "loss", "in", arrives=False)


def speak(source: Source, seconds: float, now: float, *, lost_each: int = 0) -> float:
    for number in range(round(seconds * 50)):
        now += 0.02
        if not lost_each or number % lost_each:
            sequence = (source.expected + 1 + (1 if lost_each and number % lost_each == 1 else 0)) & 0xFFFF
            source.count(RtpPacket(111, sequence, round(now * 50) * FRAME, 1, b"x"), now)
    return now


def test_what_others_hear_of_one_counts_as_long_as_one_speaks(lior: Listener) -> None:
    source = Source(1, START)
    now = speak(source, 2.0, lior.now)
    lior.connection.on_source(source, now)
    assert lior.connection.news(now) is None
    now = speak(source, 2.0, now, lost_each=5)
    lior.connection.on_source(source, now)
    assert lior.connection.news(now) == State(POOR, "loss", "out", arrives=True)
    assert lior.connection.news(now + 4.0) == ALL_WELL, "no sound of lior arrives any more"


def test_a_silent_open_microphone_is_noticed_within_three_seconds() -> None:
    connection, now = Connection(), START
    connection.watch(False, None, now - 60.0)
    connection.watch(True, None, now)
    assert connection.news(now + 1.0) is None
    connection.watch(True, None, now + SILENT_SECONDS)
    assert connection.news(now + SILENT_SECONDS) == State(GOOD, "", "", arrives=False)
    source = Source(1, now + 4.0)
    connection.watch(True, source, now + 4.1)
    assert connection.news(now + 4.1) == ALL_WELL
    connection.watch(True, source, now + 8.0)
    assert connection.news(now + 8.0) == State(GOOD, "", "", arrives=False)
    connection.watch(False, source, now + 9.1)
    assert connection.news(now + 9.1) == ALL_WELL, "nothing is expected of a muted microphone"


@pytest.mark.asyncio
async def test_each_participant_gets_the_state_of_their_own_connection(world: World) -> None:
    world.stand("hana")
    hana, lior = await world.join("hana", decode=False), await world.join("lior", decode=False)
    hana.speak(tone_packets(440.0))
    for loss in (0.0, 0.0, 0.3):
        world.run(5.0)
        lior.send_report(loss)
    world.step()
    states = world.connections
    assert [state for name, state in states if name == "lior"] == [ALL_WELL.words, ("poor", "loss", "in", True)]
    assert [state for name, state in states if name == "hana"] == [ALL_WELL.words]


@pytest.mark.asyncio
async def test_a_participant_learns_that_nothing_of_the_open_microphone_arrives(world: World) -> None:
    world.stand("hana", "sol", muted=("sol",))
    hana, _sol = await world.join("hana", decode=False), await world.join("sol", decode=False)
    world.run(2.8)
    assert world.connections == [("hana", ("good", "", "", False))]
    hana.speak(tone_packets(440.0))
    world.run(1.5)
    assert world.connections[1:] == [("hana", ALL_WELL.words)]

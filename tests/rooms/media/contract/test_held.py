"""What a node answers about a Space, as both sides know it."""

import msgspec
import pytest

from rooms.media.contract.held import NOTHING_HELD, VOICE_COUNTS, Held, HeldVoice, Reception
from rooms.media.sound.jitter import JitterBuffer

HELD = Held(
    space="tea",
    version=3,
    peers=3,
    here=frozenset({"hana", "sol", "lior"}),
    voices={"hana": HeldVoice("t1", False, received=7), "sol": HeldVoice("t2", True), "dee": HeldVoice("t3", True)},
    receptions={"lior": Reception(0.25, 10.0, None)},
)


def test_a_reader_gets_back_what_the_node_answered() -> None:
    assert msgspec.json.decode(msgspec.json.encode(HELD), type=Held) == HELD


@pytest.mark.parametrize(
    ("participant", "hears"),
    [("hana", True), ("sol", True), ("lior", True), ("dee", False), ("mo", False)],
)
def test_a_muted_microphone_and_a_listener_have_nothing_to_send(participant: str, hears: bool) -> None:
    assert HELD.hears(participant) is hears


def test_an_open_microphone_is_heard_once_a_packet_came() -> None:
    silent = msgspec.structs.replace(HELD, voices={"hana": HeldVoice("t1", False)})
    assert not silent.hears("hana")
    assert not NOTHING_HELD.hears("hana")


def test_every_count_is_one_of_the_jitter_buffer() -> None:
    assert all(getattr(JitterBuffer(), name) == 0 for name in VOICE_COUNTS)
    assert len(VOICE_COUNTS) == 8

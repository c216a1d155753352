"""The heartbeat as both sides know it."""

from typing import Any

import msgspec
import pytest

from rooms.media.contract.heartbeat import Beat
from tests.rig.media.heartbeat import node


def test_a_reader_gets_back_what_the_node_wrote() -> None:
    beat = node("media-1", spaces=("tea",), steady=1.5, hls=True)
    assert msgspec.json.decode(msgspec.json.encode(beat), type=Beat) == beat


def test_a_field_of_a_later_version_is_ignored() -> None:
    later = msgspec.structs.asdict(node("media-1")) | {"colour": "purple"}
    assert msgspec.json.decode(msgspec.json.encode(later), type=Beat) == node("media-1")


def test_a_heartbeat_without_its_boot_is_refused() -> None:
    without = {name: value for name, value in msgspec.structs.asdict(node("media-1")).items() if name != "boot"}
    with pytest.raises(msgspec.ValidationError, match="boot"):
        msgspec.json.decode(msgspec.json.encode(without), type=Beat)


@pytest.mark.parametrize(
    ("fields", "free"),
    [
        ({}, 10),
        ({"peers": 4}, 6),
        ({"peers": 12}, 0),
        ({"peers": 4, "places": 5}, 1),
        ({"full": True}, 0),
    ],
)
def test_newcomers_get_what_is_free_unless_the_node_is_full(fields: dict[str, Any], free: int) -> None:
    assert node("media-1", **fields).free_places == free

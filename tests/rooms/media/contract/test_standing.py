"""What the web side writes about a Space, and what cannot be one."""

from typing import Any

import msgspec
import pytest

from rooms.media.contract.standing import Note, Standing, Voice, parse, parse_note

WRITTEN: dict[str, Any] = {
    "space": "s",
    "version": 3,
    "started_at": 1.5,
    "ended": False,
    "recorded": True,
    "voices": [{"participant": "hana", "turn": "t", "muted": True}],
    "removed": ["dee"],
}


def test_what_was_written_is_read() -> None:
    standing = parse(msgspec.json.encode(WRITTEN))
    assert standing.voice("hana") == Voice("hana", "t", True)
    assert standing.voice("lior") is None
    assert standing.admits("lior")
    assert not standing.admits("dee")


def test_a_note_is_read_as_it_was_written() -> None:
    assert str(Note("tea", "3")) == "tea 3"
    assert parse_note(b"tea 3") == parse_note("tea 3") == Note("tea", "3")


@pytest.mark.parametrize("data", [b"", b"tea", b"tea ", b" 3", b"tea 3 4", b"\xff 3"])
def test_what_is_no_note_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"not a Space|decode"):
        parse_note(data)


def test_no_one_is_admitted_after_the_end() -> None:
    assert not parse(msgspec.json.encode(WRITTEN | {"ended": True})).admits("hana")


def test_only_a_newer_one_supersedes() -> None:
    old, new = Standing("s", 1, 0.0), Standing("s", 2, 0.0)
    assert new.supersedes(old)
    assert new.supersedes(None)
    assert not old.supersedes(new)
    assert not old.supersedes(old)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b'{"space": "s"}',
        msgspec.json.encode(WRITTEN | {"version": "3"}),
        msgspec.json.encode(WRITTEN | {"voices": WRITTEN["voices"] * 13}),
    ],
)
def test_what_is_none_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 -- msgspec says what is wrong in many ways
        parse(data)

"""The wire: codec, document and page hold the same frames, and no input gets an exception out of the parser."""

import json
import re
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rooms import protocol
from rooms.nodes.refusals import SoundReason
from tests.rig.machine import CHECKOUT

DOCUMENT = (CHECKOUT / "docs" / "protocol.md").read_text(encoding="utf-8")
PAGE = (CHECKOUT / "rooms" / "static" / "rooms" / "wire" / "protocol.js").read_text(encoding="utf-8")


def tags(types: tuple[Any, ...]) -> dict[str, type[msgspec.Struct]]:
    return {kind.__struct_config__.tag: kind for kind in types}


COMMANDS, EVENTS = tags(protocol.COMMANDS), tags(protocol.EVENTS)


def example(tag: str) -> dict[str, Any]:
    found = re.search(rf"^### `{tag}`\n.*?```json\n(.*?)```", DOCUMENT, re.MULTILINE | re.DOTALL)
    assert found, f"docs/protocol.md has no example of {tag}"
    return json.loads(found[1])


def exported(name: str) -> dict[str, Any]:
    found = re.search(rf"export const {name} = (\{{.*?\n\}});", PAGE, re.DOTALL)
    assert found, f"protocol.js exports no {name}"
    return json.loads(found[1])


@pytest.mark.parametrize("tag", COMMANDS)
def test_the_document_shows_each_command_as_the_server_reads_it(tag: str) -> None:
    assert type(protocol.parse(json.dumps(example(tag)))) is COMMANDS[tag]


@pytest.mark.parametrize("text", ["Tea \u202e", "\u3164", "a" + "\u0321\u030d\u0489" * 46, "\x1b"])
def test_a_request_is_plain_text(text: str) -> None:
    with pytest.raises(protocol.FrameRefused):
        protocol.parse(json.dumps({"type": "ask", "text": text}))


def test_a_request_is_composed() -> None:
    assert protocol.parse(json.dumps({"type": "ask", "text": " A\u0301ngel "})) == protocol.Ask(text="\u00c1ngel")


@pytest.mark.parametrize("tag", EVENTS)
def test_the_document_shows_each_event_whole(tag: str) -> None:
    event = msgspec.convert(example(tag), EVENTS[tag])
    assert set(example(tag)) == set(msgspec.to_builtins(event)), "the example has every field"


def test_the_document_has_nothing_else() -> None:
    assert set(re.findall(r"^### `(\w+)`", DOCUMENT, re.MULTILINE)) == set(COMMANDS) | set(EVENTS)
    assert re.findall(r"^\| (\d{4}) \|", DOCUMENT, re.MULTILINE) == [str(int(close)) for close in protocol.Close]


def test_the_document_names_the_codes_of_refused_sound() -> None:
    [line] = re.findall(r"^- Those of the sound: (.*?)\.$", DOCUMENT, re.MULTILINE | re.DOTALL)
    assert set(re.findall(r"`(\w+)`", line)) == set(SoundReason)


def test_the_page_knows_the_same_commands_and_events() -> None:
    fields = {tag: [f.name for f in msgspec.structs.fields(kind) if f.name != "id"] for tag, kind in COMMANDS.items()}
    assert {tag: set(names) for tag, names in exported("COMMANDS").items()} == {k: set(v) for k, v in fields.items()}
    fields = {tag: [f.name for f in msgspec.structs.fields(kind)] for tag, kind in EVENTS.items()}
    assert {tag: set(names) for tag, names in exported("EVENTS").items()} == {k: set(v) for k, v in fields.items()}


def test_the_page_knows_the_same_close_codes() -> None:
    assert exported("CLOSES") == {str(int(close)): close.name.lower() for close in protocol.Close}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@given(
    st.text() | JSON.map(json.dumps) | st.dictionaries(st.sampled_from(["type", "id", "open"]), JSON).map(json.dumps)
)
def test_whatever_comes_in_is_a_command_or_refused(frame: str) -> None:
    outcome: object
    try:
        outcome = protocol.parse(frame)
    except protocol.FrameRefused as refused:
        outcome = refused.code if str(refused) else "no text"
    assert isinstance(outcome, protocol.Command) or outcome in {"bad_json", "bad_frame", "too_big"}

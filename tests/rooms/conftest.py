"""Spaces for the tests of rooms: one of hana's for her followers, and who is in it."""

from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pytest
from channels.layers import get_channel_layer

from accounts.models import User
from rooms.models import Participant, Space
from rooms.store import layer
from rooms.store.client import redis_client


@pytest.fixture(autouse=True)
def _empty_redis() -> Iterator[None]:
    yield
    keys = list(redis_client().scan_iter("spaces:*"))
    if keys:
        redis_client().delete(*keys)


@pytest.fixture
def open_space() -> Callable[..., Space]:
    """`open_space(hana, title=...)` opens a Space for the host's followers, unless `fields` say otherwise."""

    def opened(host: User, **fields: Any) -> Space:
        return Space.open(host, **{"title": "Tea at four", "audience": Space.Audience.FOLLOWERS} | fields)

    return opened


@pytest.fixture
def tea(hana: User, sol: User, lior: User, open_space: Callable[..., Space]) -> Space:
    """A live Space of hana's; sol and lior follow her, dee does not."""
    sol.follow(hana)
    lior.follow(hana)
    return open_space(hana)


@pytest.fixture
def host(tea: Space, hana: User) -> Participant:
    return tea.enter(hana)


@pytest.fixture
def speaker(tea: Space, sol: User, host: Participant) -> Participant:
    """sol, at an open microphone."""
    person = tea.enter(sol)
    person.ask_to_speak().admit(host)
    person.accept_notice()
    person.open_microphone()
    return person


@pytest.fixture
def listener(tea: Space, lior: User) -> Participant:
    return tea.enter(lior)


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """The frames that leave for the channel layer, as dicts, with `_close` and `_whom` of the message."""
    frames: list[dict[str, Any]] = []
    send = layer.send

    def record(to: str, message: dict[str, Any]) -> None:
        if message["type"] == "space.event":
            frame = msgspec.json.decode(message["frame"])
            frames.append(frame | {"_close": message["close"], "_whom": message["whom"]})
        send(to, message)

    monkeypatch.setattr(layer, "send", record)
    assert get_channel_layer() is not None
    return frames

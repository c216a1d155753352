"""The hints between the tick and the web side."""

import pytest

from rooms.media.contract.hints import Hint, InEffect
from rooms.media.web_side import MAX_WAITING, HintSender

SENT = [InEffect("tea", version) for version in range(3)]


async def test_hints_arrive_in_the_order_in_which_they_were_posted() -> None:
    arrived: list[Hint] = []

    async def send(hint: Hint) -> None:
        arrived.append(hint)

    hints = HintSender(send)
    for hint in SENT:
        hints.post(hint)
    assert arrived == [], "the tick does not wait"
    await hints.send_waiting()
    assert arrived == SENT


async def test_a_hint_that_fails_is_lost_alone(caplog: pytest.LogCaptureFixture) -> None:
    arrived: list[Hint] = []

    async def send(hint: Hint) -> None:
        if hint == SENT[1]:
            raise OSError("the layer is away")
        arrived.append(hint)

    hints = HintSender(send)
    for hint in SENT:
        hints.post(hint)
    await hints.send_waiting()
    assert arrived == [SENT[0], SENT[2]]
    assert "a hint was not sent: the layer is away" in caplog.text


async def test_the_oldest_hints_are_dropped_while_too_many_wait() -> None:
    arrived: list[Hint] = []

    async def send(hint: Hint) -> None:
        arrived.append(hint)

    hints = HintSender(send)
    for version in range(MAX_WAITING + 2):
        hints.post(InEffect("tea", version))
    await hints.send_waiting()
    assert (len(arrived), arrived[0]) == (MAX_WAITING, InEffect("tea", 2))

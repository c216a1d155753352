"""Why a page gets no sound: each reason has a text, and no code of a node is taken for another."""

import logging

import pytest

from rooms.media.contract.joining import Refusal
from rooms.nodes import http, offers
from rooms.nodes.refusals import TEXTS, SoundReason, SoundRefused


@pytest.mark.parametrize("reason", SoundReason)
def test_each_reason_has_a_text(reason: SoundReason) -> None:
    assert SoundRefused(reason).text
    assert len(TEXTS) == len(SoundReason)


@pytest.mark.parametrize("code", ["full", "no_space", "no_peer", "bad_sdp", "refused"])
def test_a_reason_of_a_node_is_that_of_the_page(code: str) -> None:
    assert SoundReason.of_node(code) == code


@pytest.mark.parametrize("code", ["unauthorized", "bad_request", "", "something new"])
def test_any_other_code_is_a_fault_of_the_node(code: str) -> None:
    assert SoundReason.of_node(code) == SoundReason.NODE_FAULT


@pytest.mark.parametrize("body", [{}, {"sdp": 5}, {"answer": "v=0"}])
async def test_an_answer_of_another_kind_is_no_answer(body: dict[str, object], monkeypatch: pytest.MonkeyPatch) -> None:
    async def answer(*_: object) -> http.Answer:
        return http.Answer(200, body)

    monkeypatch.setattr(http, "ask", answer)
    with pytest.raises(SoundRefused) as refused:
        await offers._ask("http://node/spaces/1/peers", offers.Join("grant", "v=0"))
    await offers.close()
    assert refused.value.reason == SoundReason.NO_NODE


async def test_a_fault_of_a_node_is_logged(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    async def ask(*_: object) -> http.Answer:
        return http.Answer(401, {}, Refusal("unauthorized", "the shared secret is missing or wrong"))

    monkeypatch.setattr(http, "ask", ask)
    with pytest.raises(SoundRefused) as refused, caplog.at_level(logging.ERROR):
        await offers._ask("http://node/spaces/1/peers", offers.Join("grant", "v=0"))
    await offers.close()
    assert refused.value.reason == SoundReason.NODE_FAULT
    assert "shared secret" in caplog.text

"""OWASP ASVS 5.0, V17.3 (signalling of WebRTC): one test for each item, by its number."""

import pytest

from accounts.models import User
from rooms.live.socket import BURST, WARNINGS
from rooms.models import Space
from tests.rig.live.page import _close_what_belongs_to_the_loop, pages

__all__ = ["_close_what_belongs_to_the_loop"]
pytestmark = pytest.mark.django_db(transaction=True)


async def test_v17_3_1_others_are_answered_while_one_page_floods(tea: Space, sol: User, lior: User) -> None:
    async with pages(tea, sol, lior) as [flooding, other]:
        for number in range(BURST + WARNINGS):
            await flooding.socket.send_to(text_data='{"type":"sync"}')
            if number % 20 == 0:
                await other.send(type="sync", id=number + 1)
                assert await other.until("snapshot")
        await other.send(type="ask", text="still here", id=900)
        assert await other.until("ok", re=900)


@pytest.mark.parametrize("number", ["1e999", "-1", "99999999999999999999999999", '"1"', "{}", "[[[[]]]]", "null"])
async def test_v17_3_2_malformed_signalling_is_answered_and_the_next_command_works(
    tea: Space, sol: User, number: str
) -> None:
    async with pages(tea, sol) as [page]:
        for frame in (
            f'{{"type":"offer","sdp":{number}}}',
            f'{{"type":"admit","request":{number}}}',
            f'{{"type":{number}}}',
            number,
        ):
            await page.socket.send_to(text_data=frame)
            assert (await page.until("error"))["code"] in ("bad_frame", "bad_json", "no_node")
        await page.send(type="ask", text="", id=77)
        assert await page.until("ok", re=77)

"""A Space of named people, and naming further ones while it is live."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.rig.browser.person import PATIENCE_SECONDS, Person

pytestmark = pytest.mark.browser
LONG = PATIENCE_SECONDS * 1000


def test_a_host_names_further_people_while_the_space_is_live(join_as: Callable[..., Person]) -> None:
    hana, dee = join_as("hana"), join_as("dee")
    hana.page.goto("/spaces/new/")
    hana.page.fill("input[name=title]", "Behind closed doors")
    hana.page.check("input[name=audience][value=named]")
    hana.page.fill("textarea[name=invited]", "@sol")
    hana.page.get_by_role("button", name="Go live").click()
    hana.find("join").click()
    hana.until_connected()
    path = hana.page.url
    refused = dee.page.goto(path)
    assert refused is not None
    assert refused.status == 404
    for handles, answer in (
        ("", "Name at least one person"),
        ("not a handle!", "Name at least one person"),
        ("dee, nobody_of_this_name", "Member not found: @nobody_of_this_name."),
        ("@Dee, @hana, @sol", ""),
    ):
        invite(hana, handles, answer)
    expect(hana.page.locator("#toasts")).to_contain_text("1 more person may enter.")
    invite(hana, "dee", "")
    expect(hana.page.locator("#toasts")).to_contain_text("Everyone you named is already invited.")
    expect(dee.page.locator("#fleet")).not_to_contain_text("Hana")  # dee does not follow hana
    dee.join(path)
    expect(hana.listening("dee")).to_be_visible(timeout=LONG)
    dee.page.get_by_role("button", name="More", exact=True).click()
    expect(dee.find("invite")).to_have_count(0)
    assert hana.problems + dee.problems == []


def invite(host: Person, handles: str, refusal: str) -> None:
    """Name people in the dialogue; if they are refused, it stays open and shows why."""
    host.page.get_by_role("button", name="More", exact=True).click()
    host.find("invite").click()
    dialog = host.page.get_by_role("dialog", name="Invite more people")
    dialog.get_by_label("Who do you want to invite?").fill(handles)
    host.find("invite-send").click()
    if refusal:
        expect(dialog.get_by_role("alert")).to_contain_text(refusal)
        dialog.get_by_role("button", name="Cancel").click()
    expect(dialog).to_be_hidden()

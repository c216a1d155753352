"""A forgotten password: only a confirmed address gets a link, and no answer tells which addresses are known."""

import re
from typing import Any

import pytest
from django.core import mail
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.mail import sealed, tasks
from accounts.mail.decoys import NO_ONE
from accounts.models import User
from tests.accounts.mail.conftest import address

pytestmark = pytest.mark.usefixtures("_mail")
KNOWN, UNKNOWN = "hana@example.org", "unknown@example.org"


def reset(client: Client, email: str, **headers: str) -> Any:
    return client.post("/accounts/password/reset/", {"email": email}, headers=headers)


def link() -> str:
    found = re.search(r"https://spaces.example.org(/accounts/password/reset/key/\S+)", str(mail.outbox[-1].body))
    assert found is not None
    return found[1]


def test_a_confirmed_address_gets_a_link_that_works(client: Client, hana: User) -> None:
    address(hana)
    reset(client, "Hana@example.org")
    form = client.get(link(), follow=True)
    client.post(form.request["PATH_INFO"], {"password1": "yet another secret", "password2": "yet another secret"})
    hana.refresh_from_db()
    assert hana.check_password("yet another secret")
    assert [letter.to for letter in mail.outbox] == [[KNOWN], [KNOWN]]
    assert mail.outbox[1].subject == "Your password was changed"


def test_an_address_that_is_not_confirmed_gets_nothing(client: Client, hana: User) -> None:
    """Minutes at an open browser were enough to add an address, and a reset to it took the account."""
    address(hana, verified=False)
    reset(client, KNOWN)
    assert [letter.to for letter in mail.outbox] == [[NO_ONE]]


def test_an_address_in_the_row_of_the_member_alone_gets_nothing(client: Client, hana: User) -> None:
    User.objects.filter(pk=hana.pk).update(email=KNOWN)
    reset(client, KNOWN)
    assert [letter.to for letter in mail.outbox] == [[NO_ONE]]


def test_a_locked_account_gets_nothing(client: Client, hana: User) -> None:
    address(hana)
    hana.deactivate()
    reset(client, KNOWN)
    assert [letter.to for letter in mail.outbox] == [[NO_ONE]]


def test_an_unknown_address_has_the_same_answer_and_the_same_work(client: Client, hana: User) -> None:
    """Only a known address cost a message, so the time of the answer told. The decoy makes the same message."""
    address(hana)
    answers, queries = [], []
    for email in (KNOWN, UNKNOWN):
        with CaptureQueriesContext(connection) as asked:
            answer = reset(client, email)
        page = client.get(answer["Location"]).content.decode()
        answers.append((answer.status_code, answer["Location"], page.partition("<main")[2]))
        queries.append([query["sql"].split()[0] for query in asked])
    assert answers[0] == answers[1]
    assert queries[0] == queries[1]
    assert [letter.to for letter in mail.outbox] == [[KNOWN], [NO_ONE]]
    known, unknown = (str(letter.body) for letter in mail.outbox)
    assert abs(len(known) - len(unknown)) < 20


def test_the_worker_drops_a_decoy(client: Client, hana: User, monkeypatch: pytest.MonkeyPatch) -> None:
    reset(client, UNKNOWN)
    (letter,) = mail.outbox
    monkeypatch.setattr(tasks, "get_connection", lambda _: pytest.fail("a decoy was sent"))
    tasks.deliver.apply((sealed.seal(letter),), throw=True)


def test_links_lead_to_the_public_address(client: Client, hana: User) -> None:
    """The header Host is what the sender of the request wrote: a link to it would give them the key of the reset."""
    address(hana)
    reset(client, KNOWN, host="localhost")
    (letter,) = mail.outbox
    assert "localhost" not in letter.subject + str(letter.body)
    assert "https://spaces.example.org/accounts/" in str(letter.body)


@pytest.mark.parametrize("email", [KNOWN, UNKNOWN])
def test_the_page_after_asking_promises_nothing(client: Client, hana: User, email: str) -> None:
    address(hana)
    answer = client.get(reset(client, email)["Location"])
    assert "If this address belongs to an account" in answer.content.decode()


def test_without_a_mail_server_no_reset_can_be_asked_for(client: Client, hana: User, settings: Any) -> None:
    settings.EMAIL_HOST = ""
    address(hana)
    assert reset(client, KNOWN).status_code == 404
    assert mail.outbox == []

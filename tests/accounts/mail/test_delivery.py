"""The way of a message: from a page over the queue and the worker to the SMTP server."""

import json
import logging
import socket
from collections.abc import Iterator
from typing import Any

import pytest
from cryptography.fernet import InvalidToken
from django.core.mail import EmailMessage, EmailMultiAlternatives
from django.test import Client

from accounts.mail import sealed, tasks
from accounts.mail.backend import EmailBackend
from accounts.models import User
from rooms.store.client import redis_client
from tests.accounts.mail.conftest import address
from tests.rig.machine import free_port
from tests.rig.services.smtp import Mailbox, connections, mail_server, silent_server

SECRET = "https://spaces.example.org/accounts/password/reset/key/1-top-secret/"


@pytest.fixture(autouse=True)
def _an_empty_queue() -> Iterator[None]:
    redis_client().delete("mail")
    yield
    redis_client().delete("mail")


def use(settings: Any, port: int) -> None:
    settings.EMAIL_BACKEND = "accounts.mail.backend.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_USE_TLS = "127.0.0.1", port, False
    settings.EMAIL_TIMEOUT = 0.1


@pytest.fixture
def mailbox(settings: Any) -> Iterator[Mailbox]:
    port = free_port()
    use(settings, port)
    with mail_server(port) as taken:
        settings.EMAIL_TIMEOUT = 10
        yield taken


@pytest.fixture
def silence(settings: Any) -> Iterator[socket.socket]:
    with silent_server() as server:
        use(settings, server.getsockname()[1])
        yield server


def letter(body: str = SECRET) -> EmailMultiAlternatives:
    message = EmailMultiAlternatives("Grüße", body, "spaces@example.org", ["hana@example.org"])
    message.attach_alternative("<p>Grüße</p>", "text/html")
    return message


def queued() -> list[str]:
    """The jobs that wait for the worker for email, as Redis holds them."""
    return [str(job) for job in redis_client().lrange("mail", 0, -1)]


def reset(client: Client) -> Any:
    return client.post("/accounts/password/reset/", {"email": "hana@example.org"})


@pytest.fixture
def _an_address(hana: User) -> None:
    address(hana)


@pytest.mark.usefixtures("_an_address")
def test_a_page_does_not_speak_to_the_mail_server(
    client: Client, silence: socket.socket, django_capture_on_commit_callbacks: Any
) -> None:
    """With the connection in the request, a silent server took a thread for ten seconds, and the page failed then."""
    with django_capture_on_commit_callbacks(execute=True):
        answer = reset(client)
    assert (answer.status_code, answer["Location"]) == (302, "/accounts/password/reset/done/")
    assert connections(silence) == 0
    assert len(queued()) == 1


@pytest.mark.usefixtures("_an_address")
def test_what_waits_in_redis_can_not_be_read(
    client: Client, silence: socket.socket, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        reset(client)
    (job,) = queued()
    arguments = json.loads(job)["headers"]["argsrepr"]
    assert "hana" not in job + arguments
    assert "reset" not in arguments


def test_nothing_is_handed_over_before_the_commit(
    silence: socket.socket, db: None, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        assert EmailBackend().send_messages([letter(), EmailMessage("to no one")]) == 1
        assert queued() == []
    assert len(queued()) == 1


def test_the_job_sends_the_whole_message(mailbox: Mailbox) -> None:
    tasks.deliver.apply((sealed.seal(letter()),), throw=True)
    (taken,), (recipients,) = mailbox.letters, mailbox.recipients
    plain, html = taken.get_body(("plain",)), taken.get_body(("html",))
    assert (taken["Subject"], taken["To"], recipients) == ("Grüße", "hana@example.org", ["hana@example.org"])
    assert plain is not None
    assert html is not None
    assert (plain.get_content().strip(), html.get_content().strip()) == (SECRET, "<p>Grüße</p>")


@pytest.mark.parametrize(
    ("answer", "tries"),
    [("250 OK", 1), ("451 try again", 1 + len(tasks.PAUSES)), (f"550 {SECRET} is spam", 1)],
)
def test_what_may_pass_is_tried_again_and_what_is_final_is_not(
    mailbox: Mailbox, answer: str, tries: int, caplog: pytest.LogCaptureFixture
) -> None:
    mailbox.answer = answer
    with caplog.at_level(logging.DEBUG):
        tasks.deliver.apply((sealed.seal(letter()),))
    assert mailbox.asked == tries
    assert ("mail not sent" in caplog.text) is not answer.startswith("250")
    assert "top-secret" not in caplog.text


def test_a_silent_server_is_given_up(silence: socket.socket, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        tasks.deliver.apply((sealed.seal(letter()),))
    assert connections(silence) == 1 + len(tasks.PAUSES)
    assert "mail not sent" in caplog.text
    assert "top-secret" not in caplog.text


def test_the_pauses_are_shorter_than_the_time_after_which_a_job_would_run_twice(settings: Any) -> None:
    assert max(tasks.PAUSES) + tasks.HARD_SECONDS < settings.CELERY_BROKER_TRANSPORT_OPTIONS["visibility_timeout"]


def test_a_message_of_another_key_is_dropped(mailbox: Mailbox, settings: Any, caplog: pytest.LogCaptureFixture) -> None:
    text = sealed.seal(letter())
    settings.SECRET_KEY = "another one"
    tasks.deliver.apply((text,), throw=True)
    assert mailbox.asked == 0
    assert "mail dropped" in caplog.text


def test_a_message_older_than_a_day_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    text = sealed.seal(letter())
    monkeypatch.setattr(sealed, "MAX_AGE", -1)
    with pytest.raises(InvalidToken):
        sealed.unseal(text)


def test_attachments_are_refused() -> None:
    message = letter()
    message.attach("a.txt", "text", "text/plain")
    with pytest.raises(ValueError, match="attachments"):
        sealed.seal(message)

"""Which worker does which job: a long mix must not keep the sweeps waiting, and no queue may be without a worker."""

from typing import Any

import pytest
from django.conf import settings

from spaces_project.celery import app
from spaces_project.machine import media_nodes
from spaces_project.management.commands.runspaces import Command


def queue_of(task: str) -> str:
    return str(app.amqp.router.route({}, task)["queue"].name)


def started(monkeypatch: pytest.MonkeyPatch, email_host: str) -> dict[str, tuple[str, ...]]:
    """What `runspaces` starts, by name: the arguments of each child."""
    monkeypatch.setattr(Command, "python", lambda self, *arguments, **options: arguments)
    monkeypatch.setattr(settings, "EMAIL_HOST", email_host)
    runspaces: Any = Command()
    runspaces.demo, runspaces.link_secret, runspaces.web_host = True, "", "127.0.0.1"
    runspaces.ports = {"web": 1, "media": 2, "media_http": 3}
    runspaces.media = media_nodes.of(1, runspaces.ports)
    return {child.name: child.start for child in runspaces.children()}


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch) -> dict[str, tuple[str, ...]]:
    return started(monkeypatch, email_host="smtp.example.org")


def test_mixing_and_mail_have_queues_of_their_own() -> None:
    assert queue_of("recordings.tasks.mix") == "mixing"
    assert queue_of("accounts.mail.tasks.deliver") == "mail"
    assert {queue_of(entry["task"]) for entry in settings.CELERY_BEAT_SCHEDULE.values()} == {"celery"}


def test_every_queue_that_jobs_are_routed_to_is_served_once(commands: dict[str, tuple[str, ...]]) -> None:
    app.loader.import_default_modules()
    routed = {queue_of(task) for task in app.tasks}
    served = [arguments[arguments.index("-Q") + 1] for arguments in commands.values() if "worker" in arguments]
    assert sorted(served) == sorted(routed)


def test_two_workers_of_a_machine_have_names_of_their_own(commands: dict[str, tuple[str, ...]]) -> None:
    assert "--hostname" not in commands["worker"], "celery@... then"
    for name in ("mixer", "mailer"):
        assert commands[name][commands[name].index("--hostname") + 1] == f"{name}@%h"


def test_without_a_mail_server_no_worker_waits_for_mail(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "mailer" not in started(monkeypatch, email_host="")

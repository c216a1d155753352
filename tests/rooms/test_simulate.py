"""`manage.py simulate` on real parts: daphne and a media node as processes, sockets and DTLS-SRTP between them."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from accounts.models import Follow, User
from rooms import rules, simulation
from rooms.models import Space, Turn
from rooms.nodes import placement
from spaces_project.machine.processes import spawn, stop, with_patience
from tests.rig.machine import CHECKOUT, START_SECONDS, free_port

FEW = {"speakers": "2", "listeners": "3", "seconds": "2"}


@pytest.fixture
def site(transactional_db: None, tmp_path: Path) -> Iterator[str]:
    """Address of a web process and a node on the database of the tests."""
    web, media = str(free_port()), str(free_port())
    database = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{settings.DATABASES['default']['NAME']}")
    environment = os.environ | {"DATABASE_URL": database.geturl(), "VAR_DIR": str(tmp_path)}
    runweb = ["manage.py", "runweb", "--port", web]
    runmedia = ["manage.py", "runmedia", "--port", media, "--http-port", "0", "--name", "n1"]
    started = [
        spawn([sys.executable, *command], cwd=CHECKOUT, env=environment, stdout=subprocess.DEVNULL)
        for command in (runweb, runmedia)
    ]
    try:
        assert with_patience(lambda: bool(placement.nodes()) and _answers(int(web)), START_SECONDS)
        yield f"http://127.0.0.1:{web}"
    finally:
        for process in started:
            stop(process, (signal.SIGTERM, 5.0))


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def simulate(space: object, **options: Any) -> dict[str, Any]:
    """The line that the command prints."""
    out = StringIO()
    call_command("simulate", space=str(space), stdout=out, **FEW | options)
    assert out.getvalue().count("\n") == 1
    return dict(json.loads(out.getvalue()))


def refusal(space: object, **options: str) -> str:
    """The line with which the command refuses. It has changed nothing."""
    with pytest.raises(CommandError) as refused:
        simulate(space, **options)
    assert not User.objects.filter(handle__startswith="sim_").exists()
    assert "\n" not in str(refused.value)
    return str(refused.value)


@pytest.mark.alone
def test_simulated_members_come_speak_hear_and_go(site: str, hana: User) -> None:
    hana.approves_followers = True
    hana.save(update_fields=["approves_followers"])
    for audience in Space.Audience:
        space = Space.open(hana, title="Tea at four", audience=audience)
        space.enter(hana)
        said = simulate(space.pk, url=site)
        check(said, space)
        assert not Follow.objects.exists()
        hana.refresh_from_db()
        assert hana.follower_count == 0
        space.end()


@pytest.mark.proof
@pytest.mark.alone
def test_fifty_listeners_join_and_lose_next_to_nothing(site: str, hana: User) -> None:
    space = Space.open(hana, title="Tea at four", audience=Space.Audience.FOLLOWERS)
    space.enter(hana)
    said = simulate(space.pk, url=site, listeners="50", seconds="10")
    print(said)
    assert (said["joins"], said["failed_joins"]) == (52, 0)
    assert said["loss"] < 0.005


def check(said: dict[str, Any], space: Space) -> None:
    """What was printed, and what is left in the rows of a run with FEW."""
    assert (said["joins"], said["failed_joins"], said["failures"]) == (5, 0, [])
    assert 0 < said["join_p50_ms"] <= said["join_p95_ms"]
    assert said["seconds"] == pytest.approx(2, abs=0.5)
    assert said["packets_expected_per_listener"] > 2 * 50 * 0.9, "a packet every 20 ms"
    assert said["packets_received_per_listener"] > 2 * 50 * 0.9
    assert said["loss"] < 0.005
    assert said["cut_off"] == 0
    assert Turn.objects.filter(participant__space=space, participant__user__handle__startswith="sim_").count() == 2
    assert [person.user for person in space.participants.present()] == [space.host]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("option", "values", "most"),
    [
        ("speakers", ["0", "12", "-1", "two", "1.5", "", "²"], 11),
        ("listeners", ["0", "many", "5001"], 5000),
        ("seconds", ["0", "nan", "inf", "9" * 5000], 86400),
    ],
)
def test_numbers_that_make_no_sense_are_refused_in_one_line(
    tea: Space, option: str, values: list[str], most: int
) -> None:
    for value in values:
        expected = f"--{option} is a whole number from 1 to {most}, not {value!r}."
        assert refusal(tea.pk, **{option: value}) == expected


@pytest.mark.django_db
def test_a_space_that_is_not_live_is_refused_and_those_that_are_named(tea: Space) -> None:
    unknown = uuid4()
    assert refusal(unknown) == f"No live Space {unknown}. Live now: {tea.pk} (@hana)."
    assert refusal("tea") == "'tea' is not the id of a Space."
    tea.end()
    assert refusal(tea.pk) == f"No live Space {tea.pk}. Live now: none."


@pytest.mark.django_db
def test_a_space_for_earlier_followers_is_refused(hana: User) -> None:
    space = Space.open(hana, title="Tea", audience=Space.Audience.FOLLOWERS, earlier_followers_only=True)
    with pytest.raises(CommandError, match="only people who followed"):
        simulate(space.pk)
    assert not Follow.objects.exists()


@pytest.mark.django_db
def test_more_members_than_may_be_named_are_refused(hana: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "MOST_INVITED", 4)
    space = Space.open(hana, title="Tea", audience=Space.Audience.NAMED)
    with pytest.raises(CommandError, match=r"^5 members could not be invited: You cannot invite any more people"):
        simulate(space.pk)
    assert not space.invitations.exists()


class LostSocket:
    """A websocket whose other end is gone, which it has not noticed yet."""

    closed = False

    async def send_str(self, text: str) -> None:
        raise ConnectionResetError("Cannot write to closing transport")

    async def close(self) -> None:
        self.closed = True


async def test_a_lost_connection_does_not_keep_the_others_from_leaving() -> None:
    lost = [LostSocket(), LostSocket()]
    async with simulation.Simulation("http://127.0.0.1:1", "tea", []) as crowd:
        for number, connection in enumerate(lost):
            guest = simulation.Guest(f"sim_{number}", "", speaks=False)
            guest.socket, guest.reader = connection, asyncio.create_task(asyncio.sleep(3600))  # type: ignore[assignment]
            crowd.guests.append(guest)
    assert [connection.closed for connection in lost] == [True, True]
    assert crowd.session.closed


@pytest.mark.alone
@pytest.mark.django_db(transaction=True)
def test_a_member_who_cannot_join_is_counted_and_the_command_fails(tea: Space, hana: User) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    words = rf"5 joins at {url} failed \(--url names another address\): ClientConnectorError"
    with pytest.raises(CommandError, match=words):
        simulate(tea.pk, url=url, seconds="1")
    assert set(hana.follower_rows.values_list("follower__handle", flat=True)) == {"sol", "lior"}

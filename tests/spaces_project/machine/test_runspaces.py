"""`manage.py runspaces` as a person starts it: a process of its own, in a folder of its own."""

import asyncio
import os
import re
import shutil
import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import aiohttp
import pytest

from spaces_project.demo.people import CAST
from spaces_project.machine.own_addresses import in_networks
from spaces_project.machine.processes import with_patience
from tests.rig.machine import START_SECONDS, Machine

pytestmark = pytest.mark.alone
LOOPBACK, ANY, ANY_IPV6 = "0100007F", "0" * 8, "0" * 32  # as /proc/net has them


# A demonstration
def test_it_prints_address_and_log_ins_and_says_that_it_is_local(site: Machine) -> None:
    said = site.said()
    assert f"http://localhost:{site.web}" in said
    assert all(re.search(rf"^  {member.handle} +{member.part}$", said, re.MULTILINE) for member in CAST)
    assert "its pages are for this machine only" in said
    assert f"The password of each is {site.demo_password}" in said


async def test_it_ends_with_three_links_that_log_in(site: Machine) -> None:
    """They answer to one who keeps the connection, as browsers do, and not to what asks as a proxy does."""
    found = re.findall(r"^  (?:Hear|Host|Review) .* as (\w+) +(http://localhost\S+)$", site.said(), re.MULTILINE)
    assert [handle for handle, _ in found] == ["lior", "hana", "mo"]
    for handle, link in found:
        assert f"/demo/as/{handle}/" in link
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(20)) as browser:
            async with browser.get(link) as page:
                assert page.status == 200
            assert "sessionid" in {cookie.key for cookie in browser.cookie_jar}


def test_everything_is_up(site: Machine) -> None:
    health = site.health()
    assert health["ok"] is True
    assert health["nodes"] == 1


def test_its_secrets_are_its_users_alone(site: Machine) -> None:
    file = site.var / "demo.env"
    assert file.stat().st_mode & 0o777 == 0o600
    values = dict(line.split("=", 1) for line in file.read_text().splitlines() if "=" in line)
    assert len(values["SECRET_KEY"]) >= 50
    assert values["SECRET_KEY"] != values["MEDIA_SECRET"]


def test_all_but_the_sound_listens_on_loopback_only(site: Machine) -> None:
    """Every listening TCP port and every UDP port of its processes, as the kernel has them."""
    bound = bound_by(site)
    tcp = [(host, port) for table, host, port in bound if table.startswith("tcp")]
    assert {port for _, port in tcp} >= {site.web, site.media_http}
    assert {host for host, _ in tcp} == {LOOPBACK}
    udp = [(host, port) for table, host, port in bound if table.startswith("udp")]
    everywhere = ANY_IPV6 if any(":" in address for address in in_networks()) else ANY
    assert udp == [(everywhere if in_networks() else LOOPBACK, site.media)]


def bound_by(site: Machine) -> list[tuple[str, str, int]]:
    """Table, address in the kernel's hexadecimal, and port, of what a machine's processes listen on."""
    inodes = set()
    for pid in site.processes():
        for link in Path(f"/proc/{pid}/fd").glob("*"):
            if link.is_symlink() and (found := re.match(r"socket:\[(\d+)\]", os.readlink(link))):
                inodes.add(found[1])
    bound = []
    for table, state in (("tcp", "0A"), ("tcp6", "0A"), ("udp", "07"), ("udp6", "07")):
        for row in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            fields = row.split()
            if fields[3] == state and fields[9] in inodes:
                host, port = fields[1].split(":")
                bound.append((table, host, int(port, 16)))
    return bound


def test_the_sound_is_announced_at_loopback_and_at_the_machines_own_addresses(site: Machine) -> None:
    values = dict(line.split("=", 1) for line in (site.var / "running.env").read_text().splitlines())
    assert values["MEDIA_ANNOUNCE"] == ",".join(["127.0.0.1", *in_networks()])
    for address in in_networks():
        assert address in site.said()


def test_the_cast_is_there_with_its_follows_and_rights(site: Machine) -> None:
    counts = dict(site.rows("SELECT handle, follower_count FROM accounts_user"))
    assert {"hana", "sol", "lior", "dee", "mo"} < set(counts)
    assert counts["hana"] > 600
    real = dict(
        site.rows(
            "SELECT u.handle, count(*) FROM accounts_follow f JOIN accounts_user u ON u.id = f.followee_id GROUP BY 1"
        )
    )
    assert {handle: count for handle, count in counts.items() if count} == real
    followed_by_dee = (
        "SELECT o.handle FROM accounts_follow f JOIN accounts_user u ON u.id = f.follower_id "
        "JOIN accounts_user o ON o.id = f.followee_id WHERE u.handle = 'dee' ORDER BY 1"
    )
    assert site.rows(followed_by_dee) == [("iris",), ("nora",)]
    assert site.rows("SELECT handle FROM accounts_user WHERE is_staff") == [("mo",)]
    rights = (
        "SELECT name FROM accounts_user_groups o JOIN auth_group g ON g.id = o.group_id "
        "JOIN accounts_user u ON u.id = o.user_id WHERE handle = 'mo' ORDER BY 1"
    )
    assert site.rows(rights) == [("Hosting",), ("Safety reviewers",)]


def test_seeding_again_changes_nothing(site: Machine) -> None:
    query = "SELECT handle, follower_count, is_staff, password FROM accounts_user ORDER BY handle"
    before = site.rows(query)
    done = site.command("seed_demo")
    assert done.returncode == 0, done.stderr
    assert site.rows(query) == before


def test_a_dead_child_is_started_again(site: Machine) -> None:
    before = site.said().count("media started again.")
    os.kill(site.child("runmedia"), signal.SIGKILL)
    site.wait_for("media ended (killed by SIGKILL)", before + 1)
    site.wait_for("media started again.", before + 1)
    assert with_patience(lambda: site.health()["nodes"] == 1, START_SECONDS)


def test_a_dead_redis_is_started_again(site: Machine) -> None:
    os.kill(site.child("redis-server"), signal.SIGKILL)
    site.wait_for("redis started again.")
    assert with_patience(lambda: _answers(site.health), START_SECONDS)


BUSY = """
from django.conf import settings; from django.test import Client
from accounts.models import User; from rooms.models import Space
people = [User.objects.get(handle=handle) for handle in ("hana", "sol", "lior")]
live = Space.objects.filter(host=people[0], state="live").first()
print((live or Space.open(people[0], title="Busy", audience=Space.Audience.FOLLOWERS)).pk)
for person in people:
    browser = Client()
    browser.force_login(person)
    print(f"{settings.SESSION_COOKIE_NAME}={browser.session.session_key}")
"""


def test_a_web_process_that_is_stopped_amid_work_ends_and_comes_again(site: Machine) -> None:
    space, *cookies = site.command("shell", "-v", "0", "-c", BUSY).stdout.split()

    async def keep_busy(http: aiohttp.ClientSession, cookie: str, at_it: asyncio.Event) -> None:
        """Verb after verb, until the server is gone."""
        headers = {"Cookie": cookie, "Origin": (web := f"http://localhost:{site.web}")}
        socket = await http.ws_connect(f"{web}/ws/spaces/{space}/", headers=headers)
        with suppress(aiohttp.ClientError, ConnectionError):
            async for message in socket:
                if '"ok"' in message.data:
                    at_it.set()
                await socket.send_str('{"type": "ask"}')
                await socket.send_str('{"type": "withdraw"}')

    async def stop_amid_work() -> None:
        async with aiohttp.ClientSession() as http:
            at_it = asyncio.Event()
            busy = [asyncio.create_task(keep_busy(http, cookie, at_it)) for cookie in cookies]
            await asyncio.wait_for(at_it.wait(), START_SECONDS)
            os.kill(site.child("runweb"), signal.SIGTERM)
            await asyncio.wait(busy, timeout=START_SECONDS)

    with ThreadPoolExecutor(1) as beside:  # the thread of the browsers' tests has an event loop of its own
        beside.submit(asyncio.run, stop_amid_work()).result()
    site.wait_for("web ended (exit 0)")
    site.wait_for("web started again.")
    assert with_patience(lambda: _answers(site.health), START_SECONDS)


def _answers(health: Callable[[], dict[str, object]]) -> bool:
    try:
        return bool(health()["ok"])
    except OSError:
        return False


def test_a_second_supervisor_of_the_folder_is_refused_in_one_line(site: Machine, machine: Machine) -> None:
    assert site.process is not None
    done = site.command("runspaces", "--demo", "--no-bots", *machine.ports)
    assert done.returncode != 0
    assert f"is in use by process {site.process.pid}" in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_taken_port_is_refused_in_one_line(site: Machine, machine: Machine) -> None:
    machine.web = site.web
    done = machine.command("runspaces", "--demo", "--no-bots", *machine.ports)
    assert done.returncode != 0
    assert done.stderr == (
        f"CommandError: Port {site.web} of 127.0.0.1 is taken. Choose another one with --web-port {site.web + 1}.\n"
    )


def test_commands_use_the_servers_that_run(site: Machine) -> None:
    done = site.command(
        "shell", "-c", "from accounts.models import User; print(User.objects.filter(handle='hana').count())"
    )
    assert done.stdout.strip().endswith("1"), done.stderr


def test_commands_of_the_folder_know_the_ports_of_the_running_machine(site: Machine) -> None:
    said = site.command("doctor").stdout
    assert f"good     web on port {site.web}: answers" in said
    for address in ["127.0.0.1", *in_networks()]:
        assert f"good     UDP port {site.media}: a packet to {address} arrives at the node" in said
        assert f"good     announced media address: {address}" in said
    assert "FAULT" not in said
    assert f"good     sound as files: http://127.0.0.1:{site.web}/hls/ serves them with our signature" in said
    assert site.command("doctor", WEB_PORT="7").stdout.count("warning  web on port 7") == 1


def test_a_demonstrations_data_is_not_taken_over(site: Machine, machine: Machine) -> None:
    shutil.copy(site.var / "demo.env", machine.var)
    done = machine.command("runspaces", *machine.ports, SECRET_KEY="x" * 50, MEDIA_SECRET="y" * 50)
    assert done.returncode != 0
    assert "holds a demonstration" in done.stderr

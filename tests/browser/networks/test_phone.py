"""A phone goes from Wi-Fi to mobile while one listens or speaks: real links of a network namespace, a real Chromium."""

import json
import os
import shutil
import signal
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Playwright

from rooms.media.contract.keys import bearer
from tests.browser.conftest import HANA, beside
from tests.rig.browser import journal
from tests.rig.browser.counters import KEEP_CONNECTIONS
from tests.rig.browser.person import Person, until
from tests.rig.browser.places import Forwarder, Link, Place
from tests.rig.machine import Machine, free_port

pytestmark = [pytest.mark.browser, pytest.mark.proof, pytest.mark.needs_network]
LIMIT_SECONDS = 3.0  # two are promised, on a machine that has nothing else to do; Chromium's own news take longer
SETTLED_MS = 500
WIFI = Link("wifi", "198.18.77.1", "198.18.77.2")
MOBILE = Link("mobile", "198.18.77.5", "198.18.77.6", metric=200)
MOBILE_IPV6 = Link("mobile6", "2001:db8:77::1", "2001:db8:77::2")
HOME = Link("home", "198.18.77.9", "198.18.77.10")
Browse = Callable[..., Person]


class Node:
    """The media node: on one UDP port for IPv4 and IPv6, in a network of its own, with its HTTP port forwarded."""

    def __init__(self, site: Machine, http_port: int) -> None:
        self._url = f"http://127.0.0.1:{http_port}/health"
        lines = (site.var / "demo.env").read_text().splitlines()
        self._secret = next(line.partition("=")[2] for line in lines if line.startswith("MEDIA_SECRET="))

    def counts(self) -> dict[str, Any]:
        request = urllib.request.Request(self._url, headers={"Authorization": bearer(self._secret)})
        with urllib.request.urlopen(request, timeout=10) as answer:
            return dict(json.load(answer))


class World:
    """The places: a phone, a home with one network that stays, and the only node."""

    def __init__(self, node: Node, phone: Place, home: Place) -> None:
        self.node, self.phone, self.home = node, phone, home


@pytest.fixture
def world(site: Machine, own_node: int) -> Iterator[World]:
    http_port = free_port()
    with ExitStack() as stack:
        server, phone, home = (stack.enter_context(Place(name)) for name in ("node", "phone", "home"))
        for place, link in ((phone, WIFI), (phone, MOBILE), (phone, MOBILE_IPV6), (home, HOME)):
            place.connect(server, link)
        phone.join("wifi")
        home.join("home")
        for place in (phone, home):
            stack.enter_context(Forwarder(site.web, listens=place))
        stack.enter_context(Forwarder(site.web, listens=server, host=WIFI.nodes))
        stack.enter_context(Forwarder(http_port, connects=server))
        announced = f"{WIFI.nodes},{MOBILE_IPV6.nodes}"
        heard = {"MEDIA_BIND": "::", "MEDIA_ANNOUNCE": announced}
        stack.enter_context(beside(site, "other", http_port=http_port, prefix=server.prefix, **heard))
        os.kill(own_node, signal.SIGSTOP)
        until(lambda: site.health()["nodes"] == 1, "only this node is there")
        yield World(Node(site, http_port), phone, home)


@pytest.fixture
def browse(
    playwright: Playwright, chromium_path: str, site: Machine, tmp_path: Path, tone_file: Callable[[int], Path]
) -> Iterator[Browse]:
    """`browse("lior", phone)`: lior at a Chromium in the phone; `afar`: the pages come over its networks, too.

    No page gets extra rights: Chromium's own rules decide which networks it uses.
    """
    people: list[Person] = []

    def person(handle: str, place: Place, tone: int = 0, *, afar: bool = False) -> Person:
        program = place.program(shutil.which("chromium") or chromium_path, tmp_path)
        flags = [f"--host-resolver-rules=MAP localhost {WIFI.nodes}"] if afar else []
        people.append(Person(playwright, program, site, handle, tone_file(tone) if tone else None, flags=flags))
        people[-1].context.clear_permissions()
        people[-1].new_page()
        people[-1].page.add_init_script(KEEP_CONNECTIONS)
        return people[-1]

    yield person
    for one in people:
        one.close()


class Change:
    """What happens to a connection over a change of network."""

    def __init__(self, world: World, traveller: Person, listener: Person) -> None:
        self._world, self._traveller, self._listener = world, traveller, listener
        self._before = world.node.counts()
        for person in {traveller, listener}:
            journal.begin(person)
        listener.page.wait_for_timeout(SETTLED_MS)

    def is_heard_within(self, seconds: float) -> None:
        """Watch until the sound is back. It has to be back in time, on the same connection."""
        self._listener.page.wait_for_timeout(seconds * 1000 + SETTLED_MS)
        travelled = journal.end(self._traveller)
        heard = travelled if self._listener is self._traveller else journal.end(self._listener)
        print(f"change of network: {heard.silent:.2f} s without sound, {travelled.deaf:.2f} s without packets")
        assert heard.silent < seconds
        assert travelled.is_one_session
        assert self._traveller.page.evaluate("window.connections.length") == 1
        after = self._world.node.counts()
        assert after["joins"] == self._before["joins"], "no one has joined again"
        print(f"{after['restarts'] - self._before['restarts']} ICE restarts, {travelled.restarts} in the page")
        assert self._listener.hears_within(HANA, 2.0)
        assert self._traveller.problems == []


def until_heard(hana: Person, lior: Person) -> None:
    """Let hana speak in a Space that she hosts, and wait until lior hears it."""
    path = hana.open_space()
    hana.join(path)
    hana.open_microphone()
    lior.join(path)
    lior.until_hears(HANA)


def used_by(person: Person, place: Place, *names: str) -> str:
    """The name of the network that this person's sound uses."""
    before = {name: place.sent(name) for name in names}
    person.page.wait_for_timeout(SETTLED_MS)
    return max(names, key=lambda name: place.sent(name) - before[name])


def test_a_listener_goes_from_wifi_to_mobile(world: World, browse: Browse) -> None:
    hana, lior = browse("hana", world.home, tone=HANA), browse("lior", world.phone, afar=True)
    until_heard(hana, lior)
    change = Change(world, lior, lior)
    world.phone.join("mobile")
    world.phone.leave("wifi")
    change.is_heard_within(LIMIT_SECONDS)


@pytest.mark.parametrize("other", [MOBILE, MOBILE_IPV6], ids=lambda link: link.name)
def test_a_speaker_in_two_networks_loses_the_one_that_is_used(world: World, browse: Browse, other: Link) -> None:
    world.phone.join(other.name)
    hana, lior = browse("hana", world.phone, tone=HANA), browse("lior", world.home)
    until_heard(hana, lior)
    used = used_by(hana, world.phone, "wifi", other.name)
    change = Change(world, hana, lior)
    world.phone.leave(used)
    change.is_heard_within(LIMIT_SECONDS)
    assert used_by(hana, world.phone, "wifi", other.name) != used


@pytest.mark.parametrize("other", [MOBILE, MOBILE_IPV6], ids=lambda link: link.name)
def test_a_speaker_goes_from_wifi_to_mobile(world: World, browse: Browse, other: Link) -> None:
    """A page that came over IPv4 alone stays where it is, in a network without it."""
    hana, lior = browse("hana", world.phone, tone=HANA, afar=other is MOBILE), browse("lior", world.home)
    until_heard(hana, lior)
    change = Change(world, hana, lior)
    world.phone.join(other.name)
    world.phone.leave("wifi")
    change.is_heard_within(LIMIT_SECONDS)

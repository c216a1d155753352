"""A running installation, and people in real Chromium processes, each with a tone for a voice."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import wave
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Playwright, sync_playwright

from tests.rig.browser.person import Person, until
from tests.rig.machine import CHECKOUT, START_SECONDS, Machine, free_port

HANA, SOL = 480, 1_100  # Hz of their voices
RATE = 48_000
STOP_SECONDS = 5.0  # a node takes 3.5 s if no other program answers it
BURST_SECONDS, PAUSE_SECONDS = 0.35, 0.15  # noise suppression takes a steady tone for noise


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="session")
def chromium_path() -> str:
    """The shell is Chromium without windows around its pages: a third of the work for the machine of the tests."""
    for name in ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable"):
        if path := shutil.which(name):
            return path
    pytest.fail("no Chromium or Chrome on the path: apt-get install chromium")


@pytest.fixture(scope="session")
def tone_file(tmp_path_factory: pytest.TempPathFactory) -> Callable[[int], Path]:
    """`tone_file(440)` is a WAV file of bursts of 440 Hz, for Chromium's fake microphone."""
    folder = tmp_path_factory.mktemp("tones")

    def made(frequency: int) -> Path:
        path = folder / f"{frequency}.wav"
        if not path.exists():
            _write(path, _bursts(frequency))
        return path

    return made


def _bursts(frequency: int) -> "np.ndarray[tuple[int], np.dtype[np.int16]]":
    moments = np.arange(10 * RATE) / RATE
    sounding = (moments % (BURST_SECONDS + PAUSE_SECONDS)) < BURST_SECONDS
    sine = 0.5 * np.sin(2 * np.pi * frequency * moments) * sounding
    return (sine * 32767).astype(np.int16)


def _write(path: Path, samples: "np.ndarray[tuple[int], np.dtype[np.int16]]") -> None:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(samples.tobytes())


@pytest.fixture(scope="session")
def people(
    site: Machine, playwright: Playwright, chromium_path: str, tone_file: Callable[[int], Path]
) -> Iterator[Callable[..., Person]]:
    """All people so far: starting a browser and logging in is slow, so they stay for the next test."""
    people: dict[tuple[object, ...], Person] = {}

    def person(handle: str, tone: int = 0, width: int = 1280, height: int = 800) -> Person:
        key = (handle, tone, width, height)
        if key not in people:
            voice = tone_file(tone) if tone else None
            people[key] = Person(playwright, chromium_path, site, handle, voice, width, height)
        return people[key]

    yield person
    for one in people.values():
        one.close()


@pytest.fixture
def join_as(site: Machine, people: Callable[..., Person]) -> Iterator[Callable[..., Person]]:
    """`join_as("sol", tone=880)`: sol, logged in, in a Chromium process and on a page of their own."""
    site.forget_budgets()
    here: list[Person] = []

    def person(handle: str, **wanted: int) -> Person:
        one = people(handle, **wanted)
        one.new_page()
        here.append(one)
        return one

    yield person
    for one in here:
        one.leave_page()


@pytest.fixture
def own_node(site: Machine) -> Iterator[int]:
    """The process id of the machine's own node."""
    node = site.child("runmedia")
    yield node
    with suppress(ProcessLookupError):
        os.kill(node, signal.SIGCONT)


@pytest.fixture
def other_node(site: Machine, own_node: int, stage: "Stage", request: pytest.FixtureRequest) -> Iterator[str]:
    """The name of a second node beside the machine's own; `indirect` are settings for it.

    The stage goes with it: a Space that is on it would look for its node, and find the next test's of the same name.
    """
    with beside(site, "other", **getattr(request, "param", {})):
        yield "other"
    stage.take_down()


@contextmanager
def beside(
    site: Machine,
    name: str,
    address: str = "127.0.0.1",
    *,
    http_port: int = 0,
    prefix: Sequence[str] = (),
    **settings: str,
) -> Iterator[None]:
    """A second node of a machine, at this address; `prefix` stands before its command."""
    ports = ["--port", str(free_port(socket.SOCK_DGRAM)), "--http-port", str(http_port or free_port())]
    environment = site.environment(**({"MEDIA_BIND": address, "MEDIA_ANNOUNCE": address} | settings))
    with (site.var / f"{name}.log").open("wb") as out:
        node = subprocess.Popen(
            [*prefix, sys.executable, "manage.py", "runmedia", "--name", name, *ports],
            cwd=CHECKOUT, env=environment, stdout=out, stderr=subprocess.STDOUT,
        )  # fmt: skip
    try:
        until(lambda: site.health()["nodes"] == 2, "two nodes", START_SECONDS)
        yield
    finally:
        end(node)


def end(node: "subprocess.Popen[bytes]") -> None:
    """End a node so that it takes its heartbeat back, or the next test finds it; one that stands still is killed."""
    node.terminate()
    try:
        node.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        node.kill()
        node.wait()


class Stage:
    """hana and sol at open microphones in a Space of hana's, sol promoted without a reload.

    Setting it up is slow, so it stays for the next test that wants it, as long as it is whole.
    """

    def __init__(self, people: Callable[..., Person], end_spaces: Callable[[], None]) -> None:
        self._person, self._end_spaces = people, end_spaces
        self._people: tuple[Person, ...] = ()

    def people(self) -> tuple[Person, Person]:
        if not self.is_whole():
            self.take_down()
            self._people = self._set_up()
        hana, sol = self._people
        hana.problems, sol.problems = [], []
        return hana, sol

    def is_whole(self) -> bool:
        return bool(self._people) and all(person.is_at_open_microphone() for person in self._people)

    def _set_up(self) -> tuple[Person, Person]:
        hana, sol = self._person("hana", tone=HANA), self._person("sol", tone=SOL)
        hana.new_page()
        sol.new_page()
        path = hana.open_space()
        hana.join(path)
        hana.open_microphone()
        sol.join(path)
        sol.page.evaluate("window.stillTheSamePage = true")
        sol.ask_and_be_admitted(hana)
        sol.open_microphone()
        return hana, sol

    def take_down(self) -> None:
        for person in self._people:
            person.page.close()
        self._people = ()
        self._end_spaces()


@pytest.fixture(scope="session")
def end_spaces(site: Machine, people: Callable[..., Person]) -> Callable[[], None]:
    """Ends every live Space, as its host."""

    def end() -> None:
        live = "SELECT space.id, handle FROM rooms_space space JOIN accounts_user host ON host.id = host_id"
        for space, handle in site.rows(f"{live} WHERE space.state = 'live'"):
            host = people(handle)
            host.new_page()
            host.end(space)
            host.page.close()

    return end


@pytest.fixture(scope="session")
def stage(people: Callable[..., Person], end_spaces: Callable[[], None]) -> Stage:
    return Stage(people, end_spaces)


@pytest.fixture
def speakers(stage: Stage) -> tuple[Person, Person]:
    """hana and sol at open microphones."""
    return stage.people()


@pytest.fixture(autouse=True)
def _no_other_space_is_open(request: pytest.FixtureRequest, stage: Stage) -> None:
    """Each test begins without a live Space, or with the stage that it asks for."""
    if "speakers" not in request.fixturenames or not stage.is_whole():
        stage.take_down()

"""A running installation, and people in real Chromium processes, each with a tone for a voice."""

import shutil
import wave
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Playwright, sync_playwright

from tests.browser.person import Person
from tests.machine import Machine

HANA, SOL = 480, 1_100  # Hz of their voices
RATE = 48_000
BURST_SECONDS, PAUSE_SECONDS = 0.35, 0.15  # noise suppression takes a steady tone for noise


@pytest.fixture(scope="session")
def site() -> Iterator[Machine]:
    """`runspaces --demo`, once for all browser tests."""
    machine = Machine()
    try:
        machine.start()
        yield machine
    finally:
        machine.remove()


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="session")
def chromium_path() -> str:
    for name in ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable"):
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
def everybody(
    site: Machine, playwright: Playwright, chromium_path: str, tone_file: Callable[[int], Path]
) -> Iterator[Callable[..., Person]]:
    """Everybody who was ever needed: starting a browser and logging in is slow, so they stay for the next test."""
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
def join_as(everybody: Callable[..., Person]) -> Iterator[Callable[..., Person]]:
    """`join_as("sol", tone=880)`: sol, logged in, in a Chromium process of his own, on a page of his own."""
    here: list[Person] = []

    def person(handle: str, **wanted: int) -> Person:
        one = everybody(handle, **wanted)
        one.new_page()
        here.append(one)
        return one

    yield person
    for one in here:
        one.page.close()


@pytest.fixture
def speakers(join_as: Callable[..., Person]) -> tuple[Person, Person]:
    """hana and sol at open microphones in a Space of hana's; sol was promoted without a reload."""
    hana, sol = join_as("hana", tone=HANA), join_as("sol", tone=SOL)
    path = hana.open_space()
    hana.join(path)
    hana.open_microphone()
    sol.join(path)
    sol.page.evaluate("window.stillTheSamePage = true")
    sol.ask_and_be_admitted(hana)
    sol.open_microphone()
    return hana, sol


@pytest.fixture(autouse=True)
def _no_space_left_open(site: Machine, everybody: Callable[..., Person]) -> Iterator[None]:
    """Each test begins and ends without a live Space: its host ends it."""
    yield
    live = "SELECT space.id, handle FROM rooms_space space JOIN accounts_user host ON host.id = host_id"
    for space, handle in site.rows(f"{live} WHERE space.state = 'live'"):
        host = everybody(handle)
        host.new_page()
        host.end(space)
        host.page.close()

"""A person at Debian's Firefox ESR, with its stock settings for everything that connects and plays sound."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from tests.rig.browser.bidi import Bidi, Tab
from tests.rig.browser.hearing import PATIENCE_SECONDS, Hearing, until
from tests.rig.browser.person import Site

START_SECONDS = 60.0
STOP_SECONDS = 20.0
LISTENS = re.compile(r"WebDriver BiDi listening on (ws://\S+)")
# The microphone is a tone and needs no permission. Sound plays without a sound card. Nothing is sent to Mozilla.
PREFERENCES = {
    "media.cubeb.force_mock_context": True,
    "media.navigator.permission.disabled": True,
    "media.navigator.streams.fake": True,
    "app.normandy.enabled": False,
    "app.update.disabledForTesting": True,
    "browser.aboutwelcome.enabled": False,
    "browser.newtabpage.enabled": False,
    "browser.shell.checkDefaultBrowser": False,
    "browser.startup.page": 0,
    "datareporting.policy.dataSubmissionEnabled": False,
    "extensions.getAddons.cache.enabled": False,
    "extensions.update.enabled": False,
    "media.gmp-manager.updateEnabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "toolkit.telemetry.enabled": False,
}
LOG_IN = """async (handle, password) => {
  document.querySelector("input[name=login]").value = handle;
  document.querySelector("input[name=password]").value = password;
  document.querySelector("input[name=password]").form.requestSubmit();
}"""
TEXTS = """(selector) => [...document.querySelectorAll(selector)]
  .filter((one) => one.checkVisibility()).map((one) => one.innerText)"""


@contextmanager
def firefox(folder: Path, tone: int) -> Iterator[Bidi]:
    """A Firefox process with a fresh profile in `folder`, whose microphone is a steady tone of so many hertz."""
    program = shutil.which("firefox-esr")
    assert program, "no Firefox on the path: apt-get install firefox-esr"
    profile, log = folder / "profile", folder / "firefox.log"
    profile.mkdir()
    preferences = PREFERENCES | {"media.navigator.audio.fake_frequency": tone}
    (profile / "user.js").write_text("".join(map(_preference, preferences.items())))
    command = [program, "--headless", "--no-remote", "--remote-debugging-port=0", "--profile", str(profile)]
    with _running(command, profile, log):
        until(lambda: bool(LISTENS.search(log.read_text())), "Firefox listens", START_SECONDS)
        with closing(Bidi(LISTENS.findall(log.read_text())[0])) as bidi:
            yield bidi


@contextmanager
def _running(command: list[str], home: Path, log: Path) -> Iterator[None]:
    with log.open("wb") as out:
        process = subprocess.Popen(command, env=os.environ | {"HOME": str(home)}, stdout=out, stderr=subprocess.STDOUT)
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _preference(named: tuple[str, object]) -> str:
    name, value = named
    return f"user_pref({name!r}, {str(value).lower() if isinstance(value, bool) else value});\n"


class FirefoxPerson(Hearing):
    """One member at a Firefox. `problems` are the errors that the page's console showed."""

    def __init__(self, bidi: Bidi, site: Site, handle: str, width: int = 1280, height: int = 800) -> None:
        self.site, self.handle = site, handle
        self._bidi, self._size = bidi, (width, height)

    def log_in(self) -> None:
        """With the password, on a page for this alone."""
        self.new_page()
        self.goto("/accounts/login/")
        self.tab.evaluate(LOG_IN, self.handle, self.site.demo_password)
        self.until_sees("button.me")
        self.leave_page()

    def new_page(self) -> None:
        """A page without a past; the log-in stays."""
        self.tab = Tab(self._bidi)
        self.tab.resize(*self._size)
        self.problems = self._bidi.logged = []

    def leave_page(self) -> None:
        self.tab.close()

    def goto(self, path: str) -> None:
        self.tab.goto(self.site.address + path)

    def click(self, testid: str) -> None:
        """Click on the element with this test id, once it is there."""
        selector = f"[data-testid={testid}]"
        self.until_sees(selector)
        self.tab.click(selector)

    def texts(self, selector: str) -> list[str]:
        """The texts of all visible elements of a selector."""
        return list(self.tab.evaluate(TEXTS, selector))

    def sees(self, selector: str, words: str = "") -> bool:
        return any(words in text for text in self.texts(selector))

    def until_sees(self, selector: str, words: str = "", seconds: float = PATIENCE_SECONDS) -> float:
        """Wait until an element with these words is visible. Returns the seconds."""
        return until(lambda: self.sees(selector, words), f"{self.handle} sees {words or selector}", seconds)

    def join(self, path: str) -> None:
        """Enter a Space with one click, and wait until sound arrives."""
        self.goto(path)
        self.click("join")
        self.until_connected()

    def until_connected(self) -> float:
        return self.until_sees("[data-testid=connection][data-state=live]")

    def open_microphone(self) -> None:
        """Press the microphone button; the first time in a Space the notice comes first and is accepted."""
        self.click("mic")
        accept = "[data-testid=notice-accept]"
        until(lambda: self.sees(accept) or not self.is_muted(), "the notice, or an open microphone")
        if self.sees(accept):
            self.tab.click(accept)
        until(lambda: not self.is_muted(), "an open microphone")

    def is_muted(self) -> bool:
        return self.sees(f"[data-testid=stage-person][data-handle={self.handle}]", "muted")

    # Hearing
    def look(self, function: str) -> Any:
        return self.tab.evaluate(function)

    def pause(self, milliseconds: float) -> None:
        self.tab.evaluate("(ms) => new Promise((done) => { setTimeout(done, ms); })", milliseconds)

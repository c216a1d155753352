"""What ends a session closes its socket, silences its microphone in another browser, and voids tokens, in a second."""

import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from rooms.protocol import Close
from tests.browser.conftest import HANA, SOL
from tests.rig.browser.person import PATIENCE_SECONDS, Person, until
from tests.rig.machine import CHECKOUT, Machine

pytestmark = [pytest.mark.browser, pytest.mark.proof]
HANDLE = "sol_elsewhere"  # the test changes passwords, which the members of other tests keep
NEW = "a longer way to coffee"
LIMIT_SECONDS = 3.0  # one is promised, on a machine that has nothing else to do; the printed figures tell
TELL = """window.WebSocket = class extends WebSocket {
  constructor(...given) {
    super(...given);
    this.addEventListener("close", (event) => console.log(`closed ${event.code} ${Date.now()} ${this.url}`));
  }
};"""
MAKE = """
from accounts.models import Scope, User
sol, made = User.objects.get_or_create(handle={handle!r})
if sol.suspended_until:
    sol.lift_suspension()
sol.set_password({password!r})
sol.save()
sol.follow(User.objects.get(handle="hana"))
print(sol.make_token("proof", [Scope.READ], 1))
"""
RESET = """
from accounts.models import User
from allauth.account.forms import default_token_generator
from allauth.account.utils import user_pk_to_url_str
sol = User.objects.get(handle={handle!r})
print(user_pk_to_url_str(sol) + "-" + default_token_generator.make_token(sol))
"""
SUSPEND = """
import time
from datetime import timedelta
from django.utils import timezone
from accounts.models import User
sol = User.objects.get(handle={handle!r})
print(time.time(), flush=True)
sol.suspend(timezone.now() + timedelta(hours=1))
"""


@dataclass
class Refused(threading.Thread):
    """Asks with `headers` until the answer is no longer 200, and notes the time."""

    address: str
    headers: dict[str, str]
    at: float = 0.0
    stopped: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        super().__init__(daemon=True)

    def __hash__(self) -> int:
        return id(self)

    def run(self) -> None:
        while not self.stopped.wait(0.2):
            if self._status() in (302, 401):
                self.at = time.time()
                return

    def _status(self) -> int:
        opener = urllib.request.build_opener(_NoRedirect)
        try:
            with opener.open(urllib.request.Request(self.address, headers=self.headers), timeout=10) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *args: object) -> None:
        return None


@dataclass
class Scene:
    """hana, who listens, and sol at an open microphone, with what ends sol's session."""

    site: Machine
    hana: Person
    sol: Person
    token: str

    def elsewhere(self) -> BrowserContext:
        """Another device of sol's, which is not logged in yet."""
        return self.sol.browser.new_context(base_url=self.site.address, locale="en-GB")

    def logged_in_elsewhere(self, path: str) -> Page:
        page = self.elsewhere().new_page()
        page.goto("/accounts/login/")
        page.fill("input[name=login]", HANDLE)
        page.fill("input[name=password]", self.site.demo_password)
        page.press("input[name=password]", "Enter")
        expect(page.locator("button.me")).to_be_visible(timeout=PATIENCE_SECONDS * 1000)
        page.goto(path)
        return page


def run(site: Machine, code: str) -> str:
    """The last word that this code prints at the site."""
    done = site.command("shell", "-v", "0", "-c", code)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()[-1]


def press(page: Page, name: str) -> Callable[[], float]:
    """Presses a button. Returns what says when that was."""
    button = page.locator("#main").get_by_role("button", name=name, exact=True)
    start = time.time()
    button.click(no_wait_after=True)
    return lambda: start


def send(page: Page) -> Callable[[], float]:
    """Sends the form of a new password. Returns what says when its answer came: hashing takes seconds before."""
    start = time.time()
    with page.expect_response(lambda answer: answer.request.method == "POST", timeout=PATIENCE_SECONDS * 1000):
        page.press("input[name=password2]", "Enter", no_wait_after=True)
    done = time.time()
    print(f"the form was answered after {done - start:.2f} s")
    return lambda: done


def log_out(scene: Scene) -> Callable[[], float]:
    page = scene.sol.context.new_page()
    page.goto("/accounts/logout/")
    return press(page, "Log out")


def change_the_password(scene: Scene) -> Callable[[], float]:
    page = scene.logged_in_elsewhere("/accounts/password/change/")
    page.fill("input[name=oldpassword]", scene.site.demo_password)
    page.fill("input[name=password1]", NEW)
    page.fill("input[name=password2]", NEW)
    return send(page)


def reset_the_password(scene: Scene) -> Callable[[], float]:
    key = run(scene.site, RESET.format(handle=HANDLE))  # as the mail has it
    page = scene.elsewhere().new_page()
    page.goto(f"/accounts/password/reset/key/{key}/")
    page.fill("input[name=password1]", NEW)
    page.fill("input[name=password2]", NEW)
    return send(page)


def suspend(scene: Scene) -> Callable[[], float]:
    process = subprocess.Popen(
        [sys.executable, "manage.py", "shell", "-v", "0", "-c", SUSPEND.format(handle=HANDLE)],
        cwd=CHECKOUT, env=scene.site.environment(), stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    return lambda: float(process.communicate(timeout=PATIENCE_SECONDS)[0].split()[-1])


def log_out_everywhere(scene: Scene) -> Callable[[], float]:
    return press(scene.logged_in_elsewhere("/me/sessions/end/"), "Log out everywhere")


@pytest.fixture
def scene(site: Machine, join_as: Callable[..., Person], people: Callable[..., Person]) -> Iterator[Scene]:
    token = run(site, MAKE.format(handle=HANDLE, password=site.demo_password))
    hana, sol = join_as("hana", tone=HANA), join_as(HANDLE, tone=SOL)
    sol.context.clear_cookies()
    sol.page.add_init_script(TELL)
    sol.log_in()
    path = hana.open_space()
    hana.join(path)
    hana.open_microphone()
    sol.join(path)
    sol.ask_and_be_admitted(hana)
    sol.open_microphone()
    hana.until_hears(SOL)
    yield Scene(site, hana, sol, token)
    space = path.strip("/").rsplit("/", 1)[1]
    hana.end(space)


@pytest.mark.parametrize("end", [log_out, change_the_password, reset_the_password, suspend, log_out_everywhere])
def test_all_that_a_session_has_opened_ends_at_once(scene: Scene, end: Callable[[Scene], Callable[[], float]]) -> None:
    """A log-out alone leaves tokens, which belong to programs: there the cookie of the session is refused."""
    closed: list[list[str]] = []
    scene.sol.page.on("console", lambda message: closed.append(message.text.split()))
    headers = {"Authorization": f"Bearer {scene.token}"}
    address = f"{scene.site.address}/api/people/hana/"
    if end is log_out:
        [cookie] = [one["value"] for one in scene.sol.context.cookies() if one["name"] == "sessionid"]
        address, headers = f"{scene.site.address}/me/profile/", {"Cookie": f"sessionid={cookie}"}
    refused = Refused(address, headers)
    assert refused._status() == 200
    refused.start()
    when = end(scene)
    before = time.time()
    silent_at = before + scene.hana.last_heard(SOL)
    until(lambda: refused.at > 0, "the token or session is refused")
    start = when()
    scene.sol.pause(100)
    [close] = [line for line in closed if line[0] == "closed" and "/ws/spaces/" in line[3]]
    took = {"socket": int(close[2]) / 1000 - start, "sound": silent_at - start, "token": refused.at - start}
    print(f"{end.__name__}: " + ", ".join(f"{what} after {seconds:.2f} s" for what, seconds in took.items()))
    assert int(close[1]) in (Close.LOG_IN, Close.NOT_FOUND)
    assert max(took.values()) < LIMIT_SECONDS

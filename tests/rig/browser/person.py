"""A person at a real Chromium: logs in, enters a Space, sees the page and hears the sound."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

from playwright.sync_api import Locator, Page, Playwright, expect

from tests.rig.browser.hearing import PATIENCE_SECONDS, Hearing, until

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
]

KNOCK = """([space, patience]) => new Promise((done, failed) => {
  let frames = 0;
  const socket = new WebSocket(`ws://${location.host}/ws/spaces/${space}/`);
  socket.onmessage = () => { frames += 1; socket.close(); };
  socket.onclose = (event) => done([frames, event.code]);
  setTimeout(() => failed(new Error("the server does not close the socket")), patience);
})"""
END = """([space, patience]) => new Promise((ended, failed) => {
  const socket = new WebSocket(`ws://${location.host}/ws/spaces/${space}/`);
  socket.onmessage = () => socket.send('{"type":"end"}');
  socket.onclose = ended;
  setTimeout(() => failed(new Error("the Space does not end")), patience);
})"""


class Site(Protocol):
    """The site that people log in to: the address of its pages, and the password of all."""

    @property
    def address(self) -> str: ...

    @property
    def demo_password(self) -> str: ...


class Person(Hearing):
    """One member in a Chromium process of their own. `problems` are the errors that the page's console showed."""

    def __init__(
        self, playwright: Playwright, chromium: str, site: Site, handle: str, voice: Path | None,
        width: int = 1280, height: int = 800, flags: Sequence[str] = (),
    ) -> None:  # fmt: skip
        voices = [f"--use-file-for-fake-audio-capture={voice}"] if voice else []
        self.browser = playwright.chromium.launch(executable_path=chromium, args=[*FLAGS, *voices, *flags])
        self.site, self.handle, self.problems = site, handle, list[str]()
        self.context = self.browser.new_context(
            base_url=site.address, viewport={"width": width, "height": height},
            permissions=["microphone"], locale="en-GB", reduced_motion="reduce",  # half of the work, as members may ask
        )  # fmt: skip
        self.new_page()
        self.log_in()
        self.page.close()

    def new_page(self) -> None:
        """A page without a past; the log-in stays."""
        self.problems = []
        self.page: Page = self.context.new_page()
        self.page.on("pageerror", lambda error: self.problems.append(str(error)))
        self.page.on("console", self._note)

    def _note(self, message: Any) -> None:
        if message.type == "error" and "Failed to load resource" not in message.text:
            self.problems.append(message.text)

    def log_in(self) -> None:
        """Log in with the password of the site, on the page."""
        self.page.goto("/accounts/login/")
        self.page.fill("input[name=login]", self.handle)
        self.page.fill("input[name=password]", self.site.demo_password)
        self.page.press("input[name=password]", "Enter")
        expect(self.page.locator("button.me")).to_be_visible(timeout=PATIENCE_SECONDS * 1000)

    def leave_page(self) -> None:
        """Close the page. Forget its choices for this browser, so that the next test starts afresh."""
        if not self.page.is_closed():
            if self.page.url.startswith("http"):
                self.page.evaluate("() => { try { localStorage.removeItem('spaces:data-saver'); } catch {} }")
            self.page.close()

    def close(self) -> None:
        self.browser.close()

    # Ways through the product
    def find(self, testid: str) -> Locator:
        return self.page.get_by_test_id(testid)

    def open_space(self, title: str = "Tea at four") -> str:
        """Open a Space for all followers. Returns its path."""
        self.page.goto("/spaces/new/")
        self.page.fill("input[name=title]", title)
        self.page.get_by_role("button", name="Go live").click()
        self.page.wait_for_url("**/spaces/*-*/")
        return self.page.url.removeprefix(self.site.address)

    def end(self, space: object) -> None:
        """End a Space of mine, over a socket without a page."""
        self.page.goto("/accounts/password/change/")
        self.page.evaluate(END, [str(space), PATIENCE_SECONDS * 1000])

    def join(self, path: str) -> None:
        """Enter with one click, and wait until sound arrives."""
        self.page.goto(path)
        self.find("join").click()
        self.until_connected()

    def until_connected(self) -> None:
        expect(self.find("connection")).to_have_attribute("data-state", "live", timeout=PATIENCE_SECONDS * 1000)

    def open_microphone(self) -> None:
        """Press the microphone button; the first time in a Space the notice comes first and is accepted."""
        self.find("mic").click()
        accept, me = self.find("notice-accept"), self.on_stage(self.handle)
        until(lambda: accept.is_visible() or "muted" not in me.inner_text(), "the notice, or an open microphone")
        if accept.is_visible():
            accept.click()
        expect(me).not_to_contain_text("muted", timeout=PATIENCE_SECONDS * 1000)

    def listening(self, handle: str) -> Locator:
        return self.page.locator(f"[data-testid=listener][data-handle={handle}]")

    def is_at_open_microphone(self) -> bool:
        """In a Space, connected, and to be heard."""
        if self.page.is_closed() or not self.find("connection").is_visible():
            return False
        me = self.on_stage(self.handle)
        connected = self.find("connection").get_attribute("data-state") == "live"
        return connected and me.count() == 1 and "muted" not in me.inner_text()

    def on_stage(self, handle: str) -> Locator:
        return self.page.locator(f"[data-testid=stage-person][data-handle={handle}]")

    def ask_and_be_admitted(self, host: "Person") -> None:
        self.find("ask").click()
        host.page.locator(f".request[data-handle={self.handle}]").get_by_test_id("admit").click()
        expect(self.on_stage(self.handle)).to_be_visible(timeout=PATIENCE_SECONDS * 1000)

    def choose(self, handle: str, action: str, confirm: bool = False) -> None:
        """Open the menu of a person on the stage, choose an action, and confirm it if `confirm`."""
        self.on_stage(handle).click()
        self.find(f"menu-{action}").click()
        if confirm:
            self.find("confirm").click()

    def knock(self, path: str) -> int:
        """Open the socket of a Space. Returns the code with which it closes. No frame may come before."""
        space = path.rstrip("/").rsplit("/", 1)[1]
        self.page.goto("/")
        frames, code = self.page.evaluate(KNOCK, [space, PATIENCE_SECONDS * 1000])
        assert frames == 0
        return int(code)

    # Hearing
    def look(self, function: str) -> Any:
        return self.page.evaluate(function)

    def pause(self, milliseconds: float) -> None:
        self.page.wait_for_timeout(milliseconds)

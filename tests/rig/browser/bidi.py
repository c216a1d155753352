"""WebDriver BiDi (W3C), as far as the tests need it: commands with their answers, and the errors of the console.

The connection lives in a thread of its own: the thread of a test that drives Chromium has Playwright's event loop.
"""

import asyncio
import itertools
import json
from collections.abc import Coroutine
from threading import Thread
from typing import Any, TypeVar

import aiohttp

T = TypeVar("T")
ANSWER_SECONDS = 60.0
# The first visible element of a selector, scrolled into view so that a mouse reaches it.
FIND = """(() => {
  const found = [...document.querySelectorAll(SELECTOR)].find((one) => one.checkVisibility());
  found.scrollIntoView({ block: "center" });
  return found;
})()"""


class BidiError(Exception):
    """The browser refused a command, or a function failed in the page."""


class Bidi:
    """One session with a browser that listens at `url` (ws://...); `logged` are errors of all its consoles."""

    def __init__(self, url: str) -> None:
        self.logged = list[str]()
        self._numbers = itertools.count(1)
        self._answers: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._do(self._open(url))
        self.call("session.new", capabilities={})
        self.call("session.subscribe", events=["log.entryAdded"])

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """The result of a command. Raises BidiError."""
        return self._do(self._call(method, parameters))

    def close(self) -> None:
        """Leave the browser as it is."""
        self._do(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _do(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(ANSWER_SECONDS)

    async def _open(self, url: str) -> None:
        self._http = aiohttp.ClientSession()
        self._socket = await self._http.ws_connect(f"{url}/session", max_msg_size=0)
        self._reading = self._loop.create_task(self._read())

    async def _call(self, method: str, parameters: dict[str, Any]) -> dict[str, Any]:
        number = next(self._numbers)
        self._answers[number] = waiting = self._loop.create_future()
        await self._socket.send_json({"id": number, "method": method, "params": parameters})
        answer = await waiting
        if answer["type"] == "error":
            raise BidiError(f"{method}: {answer['message']}")
        return dict(answer["result"])

    async def _read(self) -> None:
        async for message in self._socket:
            self._take(json.loads(message.data))
        for answer in self._answers.values():
            answer.set_exception(BidiError("the browser has gone"))

    def _take(self, message: dict[str, Any]) -> None:
        if "id" in message:
            self._answers.pop(message["id"]).set_result(message)
        elif message["method"] == "log.entryAdded" and message["params"]["level"] == "error":
            self.logged.append(str(message["params"]["text"]))

    async def _close(self) -> None:
        await self._socket.close()
        await self._reading
        await self._http.close()


class Tab:
    """One tab of the browser."""

    def __init__(self, bidi: Bidi) -> None:
        self._bidi = bidi
        self._context = bidi.call("browsingContext.create", type="tab")["context"]

    def goto(self, url: str) -> None:
        """Load a page, with all that belongs to it."""
        self._bidi.call("browsingContext.navigate", context=self._context, url=url, wait="complete")

    def evaluate(self, function: str, *arguments: Any) -> Any:
        """Call a JavaScript function in the page. Returns its answer as JSON carries it. Raises BidiError."""
        given = ", ".join(json.dumps(argument) for argument in arguments)
        expression = f"(async () => JSON.stringify(await ({function})({given})) ?? 'null')()"
        return json.loads(self._in_page(expression)["value"])

    def click(self, selector: str) -> None:
        """Click on the middle of an element with a mouse, as people do: that counts as an activation by the user."""
        element = self._in_page(FIND.replace("SELECTOR", json.dumps(selector)))["sharedId"]
        move = {"type": "pointerMove", "x": 0, "y": 0, "origin": {"type": "element", "element": {"sharedId": element}}}
        press = [{"type": "pointerDown", "button": 0}, {"type": "pointerUp", "button": 0}]
        mouse = {"type": "pointer", "id": "mouse", "actions": [move, *press]}
        self._bidi.call("input.performActions", context=self._context, actions=[mouse])

    def resize(self, width: int, height: int) -> None:
        """Give the page this size in CSS pixels."""
        size = {"width": width, "height": height}
        self._bidi.call("browsingContext.setViewport", context=self._context, viewport=size)

    def close(self) -> None:
        """Leave the page."""
        self._bidi.call("browsingContext.close", context=self._context)

    def _in_page(self, expression: str) -> dict[str, Any]:
        target = {"context": self._context}
        answer = self._bidi.call("script.evaluate", expression=expression, target=target, awaitPromise=True)
        if answer["type"] == "exception":
            raise BidiError(answer["exceptionDetails"]["text"])
        return dict(answer["result"])

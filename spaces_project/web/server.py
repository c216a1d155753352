"""daphne, started by `manage.py runweb`: pages, API and websockets of one process."""

from collections.abc import Callable
from functools import partial
from typing import Any

from daphne.endpoints import build_endpoint_description_strings
from daphne.server import Server, twisted_loop

from rooms.live.watchdog import Watchdog
from rooms.protocol import MAX_FRAME_BYTES
from spaces_project.web.websocket import LimitedWebSocket

# Above it the connection is dropped without a word, so it is more than the wire's own limit.
MESSAGE_BYTES = 2 * MAX_FRAME_BYTES
BODY_BYTES = 64 * 1024  # of a body go to the application at a time: each time costs a turn of the event loop


class WebServer(Server):
    """daphne with LimitedWebSocket as its websocket."""

    def __init__(self, application: Any, host: str, port: int) -> None:
        super().__init__(
            application=Taking(application),
            endpoints=build_endpoint_description_strings(host=host, port=port),
            websocket_max_message_size=MESSAGE_BYTES,
            websocket_max_frame_size=MESSAGE_BYTES,
            request_buffer_size=BODY_BYTES,
            ready_callable=self._ready,
            verbosity=0,
        )
        self.failure = ""  # why the server could not listen

    def create_application(self, protocol: Any, scope: dict[str, Any]) -> Any:
        """Start the application of a connection. A websocket learns when the application takes a message."""
        if isinstance(protocol, LimitedWebSocket):
            scope["taken"] = protocol.taken
        return super().create_application(protocol, scope)

    def listen_error(self, failure: Any) -> None:
        """Remember why the port could not be opened, and stop."""
        self.failure = failure.getErrorMessage()
        self.stop()

    def _ready(self) -> None:
        self.ws_factory.protocol = LimitedWebSocket
        Watchdog(twisted_loop).start()


class Taking:
    """ASGI application around another one: calls `scope["taken"]` after every message that it takes."""

    def __init__(self, application: Callable[..., Any]) -> None:
        self.application = application

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        taken = scope.pop("taken", None)
        await self.application(scope, partial(_receive, receive, taken) if taken else receive, send)


async def _receive(receive: Any, taken: Callable[[], None]) -> Any:
    message = await receive()
    taken()
    return message

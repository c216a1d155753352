"""The websocket of the fleet line: which followed people are live."""

from accounts.models import Scope
from rooms.live import fleet_watch
from rooms.live.socket import Socket
from rooms.protocol import Close


class FleetConsumer(Socket):
    """Sends a page a hint when its fleet line is out of date."""

    scopes = frozenset({Scope.READ})

    async def connect(self) -> None:
        if not self.may_open():
            return await self.close()
        await self.accept()
        if not self.scope["user"].is_authenticated:
            return await self.close(Close.LOG_IN)
        self.watch_session()
        await fleet_watch.join(self.scope["user"].pk, self)
        if not await self.session_lasts():
            return await self.log_out()
        return await self.hint()  # for changes between the loading of the page and this moment

    async def disconnect(self, code: int) -> None:
        await fleet_watch.leave(self.scope["user"].pk, self)

    async def read(self, frame: str | None) -> None:
        """Close: a page sends nothing here."""
        await self.close(Close.TOO_MANY_FRAMES)

    async def hint(self) -> None:
        await self.send(text_data='{"type":"fleet"}')

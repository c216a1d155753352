"""The door of the fleet line: which followed people are live."""

from rooms.live import fleet_watch
from rooms.live.socket import Door


class FleetConsumer(Door):
    """Tells a page that its fleet line is out of date."""

    async def connect(self) -> None:
        await self.accept()
        if not self.scope["user"].is_authenticated:
            return await self.close(4401)
        await fleet_watch.join(self.scope["user"].pk, self.tell)
        return await self.tell()  # what happened between the page and this moment has been missed

    async def disconnect(self, code: int) -> None:
        await fleet_watch.leave(self.scope["user"].pk, self.tell)

    async def tell(self) -> None:
        await self.send(text_data='{"type":"fleet"}')

"""The websocket of a page in a Space: accepts, parses, calls and forwards. It holds no rule."""

import uuid
from typing import Any

from django.utils import translation
from django.utils.translation import gettext_lazy as _

from accounts.models import Scope
from accounts.shared.refusals import RefusedWith
from rooms import events, protocol
from rooms.hls import listeners
from rooms.live import commands, presence, ticker
from rooms.live.metrics import COMMANDS
from rooms.live.socket import WARNINGS, FrameLimit, Socket
from rooms.loops import database
from rooms.models import Participant, Space
from rooms.protocol import Close

TOO_FAST = _("Too many actions at once. Wait a moment and try again.")


class SpaceConsumer(Socket):
    """One page in one Space. Connecting is entering, and so it needs both scopes of a token."""

    scopes = frozenset({Scope.READ, Scope.WRITE})
    me: Participant | None = None

    async def connect(self) -> None:
        self.connection, self.limit = uuid.uuid4().hex[:12], FrameLimit()
        self.space_id = str(self.scope["url_route"]["kwargs"]["space"])
        user = self.scope["user"]
        if not self.may_open():
            return await self.close()
        await self.accept()
        if not user.is_authenticated:
            return await self.close(Close.LOG_IN)
        await self.follow_session()
        if not await self.session_lasts():
            return await self.log_out()
        await self.channel_layer.group_add(events.group(self.space_id), self.channel_name)
        try:
            self.me = await enter(self.space_id, user, self.connection)
        except Space.DoesNotExist:
            return await self.close(Close.NOT_FOUND)
        ticker.connect(self.space_id, str(self.me.pk), self.connection)
        for name in (events.personal(self.me.pk), events.levels(self.space_id)):
            await self.channel_layer.group_add(name, self.channel_name)
        await self.channel_layer.group_send(events.personal(self.me.pk), {"type": "space.taken_over"})
        return await self.answer(protocol.Sync())

    async def disconnect(self, code: int) -> None:
        try:
            if self.me is not None:
                await ticker.disconnect(self.space_id, str(self.me.pk), self.connection)
                await lose(self.me)
        finally:
            if self.me is not None:
                listeners.leave(self.me.pk, self.send)
            mine = [] if self.me is None else [events.personal(self.me.pk)]
            for name in (events.group(self.space_id), events.levels(self.space_id), *mine):
                await self.channel_layer.group_discard(name, self.channel_name)
            await self.leave_session()

    async def read(self, frame: str | None) -> None:
        over = self.limit.take()
        if over > WARNINGS:
            return await self.close(Close.TOO_MANY_FRAMES)
        if over:
            with translation.override(self.scope["language"]):
                text = str(TOO_FAST)
            return await self.refuse("none", protocol.Error(code="slow_down", text=text))
        try:
            command = protocol.parse(frame or "")
        except protocol.FrameRefused as refused:
            await self.refuse("none", protocol.Error(code=refused.code, text=str(refused)))
            return await self.close(Close.TOO_BIG) if refused.code == "too_big" else None
        return await self.answer(command)

    async def answer(self, command: protocol.Command) -> None:
        if self.me is None:
            return
        try:
            event = await commands.carry_out(self.me.pk, command, self.send)
            if isinstance(command, protocol.Hear):
                await self.follow_levels(not (isinstance(event, protocol.Files) and event.hls))
            COMMANDS.labels(protocol.name_of(command), "done").inc()
            await self.send_event(event)
        except RefusedWith as refused:
            with translation.override(self.scope["language"]):
                error = protocol.Error(code=str(refused.reason), text=refused.text, re=command.id)
            await self.refuse(protocol.name_of(command), error)

    async def follow_levels(self, wanted: bool) -> None:
        """Join or leave the group for levels. Levels are of now, and files are heard seconds later."""
        follow = self.channel_layer.group_add if wanted else self.channel_layer.group_discard
        await follow(events.levels(self.space_id), self.channel_name)

    async def refuse(self, command: str, error: protocol.Error) -> None:
        COMMANDS.labels(command, error.code).inc()
        await self.send_event(error)

    async def send_event(self, event: protocol.Event) -> None:
        await self.send(text_data=protocol.encode(event))

    async def log_out(self) -> None:
        if self.me is not None:
            await fall_silent(self.me)
        await super().log_out()

    # From the channel layer
    async def space_event(self, message: dict[str, Any]) -> None:
        await self.send(text_data=message["frame"])
        if message["close"] and message["whom"] in ("", str(self.me.pk if self.me else "")):
            await self.close(message["close"])

    async def space_taken_over(self, message: dict[str, Any]) -> None:
        """Close unless this is the latest connection.

        Two connections that open at once may each hear of the other, so the row decides.
        """
        if self.me is not None and not await is_latest(self.me):
            await self.close(Close.TAKEN_OVER)

    async def space_cut_off(self, message: dict[str, Any]) -> None:
        await self.close(message["close"])


enter, lose, is_latest = database(presence.enter), database(presence.lose), database(presence.is_latest)
fall_silent = database(presence.fall_silent)

"""Doors: accept, parse, call, forward. No rule lives here."""

import time
import uuid
from typing import Any

import structlog
from channels.generic.websocket import AsyncWebsocketConsumer
from django.utils import translation

from accounts.models import Follow, User
from rooms import commands, events, protocol, pulse
from rooms.models import Participant, Space
from rooms.refusals import Refused
from rooms.sound import SoundRefused
from rooms.threads import database

FRAMES_PER_SECOND = 20
BURST = 60
WARNINGS = 40  # frames over the limit that are only answered with a warning

log = structlog.get_logger(__name__)


class Bucket:
    """Token bucket: `take` is how many frames this one is over the limit, 0 while within."""

    def __init__(self) -> None:
        self.tokens, self.over, self.at = float(BURST), 0, time.monotonic()

    def take(self) -> int:
        now = time.monotonic()
        self.tokens, self.at = min(BURST, self.tokens + (now - self.at) * FRAMES_PER_SECOND), now
        if self.tokens >= 1:
            self.tokens, self.over = self.tokens - 1, max(0, self.over - 1)
            return 0
        self.over += 1
        return self.over


class SpaceConsumer(AsyncWebsocketConsumer):
    """One page in one Space. Connecting is entering."""

    me: Participant | None = None

    async def connect(self) -> None:
        self.connection, self.bucket = uuid.uuid4().hex[:12], Bucket()
        self.space_id = str(self.scope["url_route"]["kwargs"]["space"])
        user = self.scope["user"]
        await self.accept()
        if not user.is_authenticated:
            return await self.close(4401)
        await self.channel_layer.group_add(events.group(self.space_id), self.channel_name)
        try:
            self.me = await enter(self.space_id, user)
        except Space.DoesNotExist:
            return await self.close(4404)
        await pulse.connect(self.space_id, str(self.me.pk), self.connection)
        takeover = {"type": "space.taken_over", "whom": str(self.me.pk), "by": self.connection}
        await self.channel_layer.group_send(events.group(self.space_id), takeover)
        return await self.answer(protocol.Sync())

    async def disconnect(self, code: int) -> None:
        await self.channel_layer.group_discard(events.group(self.space_id), self.channel_name)
        if self.me is not None and await pulse.disconnect(self.space_id, str(self.me.pk), self.connection):
            await lose(self.me)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        over = self.bucket.take()
        if over > WARNINGS:
            return await self.close(4429)
        if over:
            return await self.send_event(protocol.Error(code="slow_down", text="Too many frames."))
        try:
            command = protocol.parse(text_data if text_data is not None else "")
        except protocol.FrameRefused as refused:
            return await self.send_event(protocol.Error(code=refused.code, text=str(refused)))
        return await self.answer(command)

    async def answer(self, command: protocol.Command) -> None:
        if self.me is None:
            return
        try:
            event = await commands.carry_out(self.me.pk, command)
        except (Refused, SoundRefused) as refused:
            with translation.override(self.scope.get("language")):
                text = refused.text
            code = refused.reason if isinstance(refused, Refused) else refused.code
            event = protocol.Error(code=str(code), text=text, re=command.id)
        await self.send_event(event)

    async def send_event(self, event: protocol.Event) -> None:
        await self.send(text_data=protocol.encode(event))

    # --- from the channel layer ---
    async def space_event(self, message: dict[str, Any]) -> None:
        await self.send(text_data=message["frame"])
        if message["close"] and message["whom"] in ("", str(self.me.pk if self.me else "")):
            await self.close(message["close"])

    async def space_taken_over(self, message: dict[str, Any]) -> None:
        if self.me is not None and message["whom"] == str(self.me.pk) and message["by"] != self.connection:
            await self.close(4400)


@database
def enter(space_id: str, user: User) -> Participant:
    return Space.objects.enterable_by(user).get(pk=space_id).enter(user)


@database
def lose(me: Participant) -> None:
    try:
        me.lose()
    except Refused:  # the Space ended in the meantime
        log.debug("lost_after_end", participant=str(me.pk))


class FleetConsumer(AsyncWebsocketConsumer):
    """Tells a page that its fleet line is out of date."""

    async def connect(self) -> None:
        user = self.scope["user"]
        await self.accept()
        if not user.is_authenticated:
            return await self.close(4401)
        self.user_id = str(user.pk)
        return await self.channel_layer.group_add(events.FLEET, self.channel_name)

    async def disconnect(self, code: int) -> None:
        await self.channel_layer.group_discard(events.FLEET, self.channel_name)

    async def fleet_event(self, message: dict[str, Any]) -> None:
        if self.user_id in message["users"] or await follows_any(self.user_id, message["users"]):
            await self.send(text_data='{"type":"fleet"}')


@database
def follows_any(user_id: str, others: list[str]) -> bool:
    accepted = Follow.objects.filter(follower_id=user_id, followee_id__in=others, state=Follow.State.ACCEPTED)
    return accepted.exists()

"""Addresses of the websockets."""

from typing import Any

from django.urls import URLPattern, path, re_path

from rooms.live.fleet_consumer import FleetConsumer
from rooms.live.space_consumer import SpaceConsumer


async def refuse(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Refuse a websocket at an unknown address with 403, the only refusal that ASGI has before it is accepted."""
    await send({"type": "websocket.close"})


websocket_urlpatterns: list[URLPattern] = [
    path("ws/spaces/<uuid:space>/", SpaceConsumer.as_asgi()),
    path("ws/fleet/", FleetConsumer.as_asgi()),
    re_path("", refuse),  # type: ignore[arg-type]  # an ASGI application, as URLRouter wants it
]

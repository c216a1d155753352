"""Addresses of the websockets."""

from django.urls import URLPattern, path

from rooms.live.fleet_consumer import FleetConsumer
from rooms.live.space_consumer import SpaceConsumer

websocket_urlpatterns: list[URLPattern] = [
    path("ws/spaces/<uuid:space>/", SpaceConsumer.as_asgi()),
    path("ws/fleet/", FleetConsumer.as_asgi()),
]

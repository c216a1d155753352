"""Addresses of the websockets."""

from django.urls import URLPattern, path

from rooms.consumers import SpaceConsumer
from rooms.fleet_consumer import FleetConsumer

websocket_urlpatterns: list[URLPattern] = [
    path("ws/spaces/<uuid:space>/", SpaceConsumer.as_asgi()),
    path("ws/fleet/", FleetConsumer.as_asgi()),
]

"""The ASGI application: HTTP goes to Django, websockets to the consumers of rooms."""

import os

from channels.auth import AuthMiddlewareStack
from channels.routing import ProtocolTypeRouter, URLRouter
from django.conf import settings
from django.core.asgi import get_asgi_application

from spaces_project.env import plainly
from spaces_project.logs import log_start

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "spaces_project.settings")
with plainly("daphne"):
    http = get_asgi_application()

from accounts.tokens.sockets import TokenOrSession  # models need the application registry
from rooms.hls.server import Files
from rooms.live.routing import websocket_urlpatterns
from rooms.live.socket import Language
from spaces_project.headers import SafetyHeaders
from spaces_project.proxies import TrustedProxies
from spaces_project.web import connects, lines
from spaces_project.web.connects import OF_ADDRESS, OF_MEMBER, OF_SESSION, ConnectLimit
from spaces_project.web.lines import RequestLines
from spaces_project.web.origin import SameOrigin

consumers = ConnectLimit(Language(URLRouter(websocket_urlpatterns)), connects.member, OF_MEMBER)
pages = TokenOrSession(consumers, with_session=AuthMiddlewareStack(consumers))
websockets = ConnectLimit(ConnectLimit(pages, connects.session, OF_SESSION), connects.address, OF_ADDRESS)
turns = lines.Turns(http, lambda scope: connects.session(scope) or connects.address(scope), lines.IN_WORK)
small = RequestLines(RequestLines(turns, connects.address, lines.OF_ADDRESS), connects.session, lines.OF_SESSION)
requests = RequestLines(RequestLines(small, lines.large, lines.LARGE), connects.of_large, lines.LARGE_OF_SESSION)
application = TrustedProxies(
    ProtocolTypeRouter(
        {
            "http": SafetyHeaders(Files(settings.HLS_DIR, settings.HLS_SECRET, requests), settings.SECURE_HSTS_SECONDS),
            "websocket": SameOrigin(websockets),
        }
    ),
    settings.TRUSTED_PROXIES,
)
log_start("web")

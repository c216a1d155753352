"""The HTTP interface of a node, for the web side alone. Every request carries the shared secret. JSON in and out.

- `POST /spaces/{space}/peers`: `Join` -> `Joined`
- `GET /spaces/{space}/peers`: -> `Peers`
- `DELETE /spaces/{space}/peers/{participant}`
- `GET /spaces/{space}`: -> `Held`
- `PUT /spaces/{space}`: make the node ready before the first peer comes
- `DELETE /spaces/{space}`: close the Space on this node alone
- `PUT /draining`, `DELETE /draining`: until the end of this boot
- `POST /stop`
- `GET /health`: -> `Health`, of the ticks of the last minute, or of fewer with `?seconds=10`
- `GET /metrics`: text for Prometheus

Errors are a `Refusal`. The types stand in `rooms/media/contract/`.
"""

import asyncio
import hmac
from typing import Annotated, Protocol

import msgspec
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware
from prometheus_client import CONTENT_TYPE_LATEST

from rooms.media.clock import REMEMBERED, TICK_SECONDS
from rooms.media.contract.health import Health
from rooms.media.contract.held import Peers
from rooms.media.contract.joining import Join, Joined, Refusal
from rooms.media.contract.keys import bearer
from rooms.media.engine import Engine, Refused

MAX_BODY = 65_536  # octets
MOST_SECONDS = REMEMBERED * TICK_SECONDS  # of ticks that a node remembers
STATUS = {"refused": 403, "no_space": 404, "no_peer": 404, "bad_sdp": 422, "full": 503}


class Node(Protocol):
    """The node behind the interface."""

    engine: Engine
    draining: bool
    stop_requested: asyncio.Event

    async def prepare(self, space: str, *, early: bool = False) -> None:
        """Make the engine know the Space's standing, if there is one. `early`: also before the Space is placed here."""

    def health(self, seconds: float) -> Health:
        """How the node is. The figures of its ticks are those of the last `seconds`."""

    def metrics(self) -> bytes:
        """The same and more as text for Prometheus."""


class HealthQuery(msgspec.Struct, forbid_unknown_fields=True):
    """The query of `GET /health`: over how many seconds of ticks."""

    seconds: Annotated[float, msgspec.Meta(gt=0, le=MOST_SECONDS)] = MOST_SECONDS


def application(node: Node, secret: str) -> web.Application:
    """The application. Every request has to carry the bearer token of `secret`."""
    app = web.Application(client_max_size=MAX_BODY, middlewares=[_guard(secret)])

    async def join(request: web.Request) -> web.Response:
        space = request.match_info["space"]
        wish = msgspec.json.decode(await request.read(), type=Join)
        await node.prepare(space)
        answer = node.engine.restart if wish.restart else node.engine.join
        return _json(Joined(answer(space, wish.grant, wish.sdp)))

    async def leave(request: web.Request) -> web.Response:
        node.engine.leave(request.match_info["space"], request.match_info["participant"])
        return web.Response(status=204)

    async def who(request: web.Request) -> web.Response:
        space = node.engine.spaces.get(request.match_info["space"])
        return _json(Peers(frozenset(space.peers if space else ())))

    async def show(request: web.Request) -> web.Response:
        space = node.engine.spaces.get(request.match_info["space"])
        if space is None:
            raise Refused("no_space", "the Space is not on this node")
        return _json(space.held)

    app.router.add_post("/spaces/{space}/peers", join)
    app.router.add_get("/spaces/{space}/peers", who)
    app.router.add_delete("/spaces/{space}/peers/{participant}", leave)
    app.router.add_get("/spaces/{space}", show)
    _add_commands(app, node)
    _add_state(app, node)
    return app


def _add_commands(app: web.Application, node: Node) -> None:
    """Add what changes the node."""

    async def prepare(request: web.Request) -> web.Response:
        space = request.match_info["space"]
        await node.prepare(space, early=True)
        if space not in node.engine.spaces:
            raise Refused("no_space", "the Space has no standing, or has ended")
        return web.Response(status=204)

    async def close(request: web.Request) -> web.Response:
        node.engine.close(request.match_info["space"])
        return web.Response(status=204)

    async def drain(request: web.Request) -> web.Response:
        node.draining = request.method == "PUT"
        return web.Response(status=204)

    async def stop(_: web.Request) -> web.Response:
        node.stop_requested.set()
        return web.Response(status=204)

    app.router.add_put("/spaces/{space}", prepare)
    app.router.add_delete("/spaces/{space}", close)
    app.router.add_put("/draining", drain)
    app.router.add_delete("/draining", drain)
    app.router.add_post("/stop", stop)


def _add_state(app: web.Application, node: Node) -> None:
    """Add what describes the node."""

    async def health(request: web.Request) -> web.Response:
        asked = msgspec.convert(dict(request.query), HealthQuery, strict=False)
        return _json(node.health(asked.seconds))

    async def metrics(request: web.Request) -> web.Response:
        return web.Response(body=node.metrics(), headers={"Content-Type": CONTENT_TYPE_LATEST})

    app.router.add_get("/health", health)
    app.router.add_get("/metrics", metrics)


def _guard(secret: str) -> Middleware:
    expected = bearer(secret).encode()

    @web.middleware
    async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
        given = request.headers.get("Authorization", "").encode("utf-8", "surrogateescape")
        if not hmac.compare_digest(given, expected):
            return _error(401, "unauthorized", "the shared secret is missing or wrong")
        try:
            return await handler(request)
        except Refused as refusal:
            return _error(STATUS[refusal.code], refusal.code, str(refusal))
        except web.HTTPException as error:
            return _error(error.status, "bad_request", error.reason)
        except msgspec.MsgspecError as error:
            return _error(400, "bad_request", str(error))

    return guard


def _error(status: int, code: str, detail: str) -> web.Response:
    return _json(Refusal(code, detail), status)


def _json(answer: msgspec.Struct, status: int = 200) -> web.Response:
    return web.Response(body=msgspec.json.encode(answer), status=status, content_type="application/json")

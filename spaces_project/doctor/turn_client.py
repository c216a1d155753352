"""A TURN client (RFC 8656) that asks a server what it permits. aioice speaks the protocol."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aioice import stun, turn
from aioice.stun import Class, Message, Method

from rooms.media.contract.turn import Server

UNAUTHORIZED, FORBIDDEN, QUOTA_REACHED = 401, 403, 486
LIFETIME_SECONDS = 60  # of an allocation that is not given back
CHANNEL_SECONDS = 500  # after which a channel is bound again

Refused = stun.TransactionFailed  # the server's answer; `code_of` is its number


def code_of(refused: Refused) -> int:
    """The error code of a refusal (RFC 8656 section 19)."""
    return int(refused.response.error_code or 0)


class Allocation:
    """A relay of a TURN server for us. Its verbs raise Refused."""

    def __init__(self, protocol: turn.TurnClientProtocol) -> None:
        self.protocol = protocol

    async def permit(self, peer: str, port: int = 9) -> None:
        """Ask for permission to exchange packets with this address. None is sent."""
        request = Message(Method.CREATE_PERMISSION, Class.REQUEST)
        request.attributes["XOR-PEER-ADDRESS"] = (peer, port)
        await self.protocol.request_with_retry(request)


@asynccontextmanager
async def connection(
    server: Server, user: tuple[str, str], trust: ssl.SSLContext | None = None, here: tuple[str, int] | None = None
) -> AsyncIterator[turn.TurnClientProtocol]:
    """A client of aioice that has reached the server and asked for nothing yet. Raises OSError if it cannot.

    `user` is user name and password. `trust` says which certificates are accepted, by default those of the system.
    `here` is the address and port to ask from.
    """
    loop, place = asyncio.get_running_loop(), (server.host, server.port)
    transport: asyncio.DatagramTransport | asyncio.Transport
    protocol: turn.TurnClientProtocol
    about = (place, *user, LIFETIME_SECONDS, CHANNEL_SECONDS)
    if server.transport == "udp":
        transport, protocol = await loop.create_datagram_endpoint(
            lambda: turn.TurnClientUdpProtocol(*about), remote_addr=place, local_addr=here
        )
    else:
        security = (trust or ssl.create_default_context()) if server.transport == "tls" else None
        transport, protocol = await loop.create_connection(
            lambda: turn.TurnClientTcpProtocol(*about), *place, ssl=security, local_addr=here
        )
    try:
        yield protocol
    finally:
        transport.abort()
        await asyncio.sleep(0)  # lets the loop close the socket


@asynccontextmanager
async def allocation(
    server: Server, user: tuple[str, str], trust: ssl.SSLContext | None = None
) -> AsyncIterator[Allocation]:
    """An allocation over the server's transport, given back at the end. Raises OSError, Refused.

    A silent server is asked for half a minute.
    """
    async with connection(server, user, trust) as protocol:
        await protocol.connect()
        try:
            yield Allocation(protocol)
        finally:
            await protocol.delete()

"""What the tests ask of a TURN server beyond what the doctor does: IPv6, TCP, data."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from typing import Any

from aioice import stun
from aioice.stun import Class, Message, Method
from aioice.turn import TCP_TRANSPORT, UDP_TRANSPORT

from spaces_project.doctor.turn_client import Refused, code_of, connection
from tests.rig.services.coturn import Coturn

FAMILY = "REQUESTED-ADDRESS-FAMILY"  # RFC 8656 section 18.6, which aioice does not know
_ENTRY = (0x0017, FAMILY, lambda family: bytes([family, 0, 0, 0]), lambda data: data[0])
stun.ATTRIBUTES_BY_TYPE[_ENTRY[0]] = stun.ATTRIBUTES_BY_NAME[FAMILY] = _ENTRY
IPV4, IPV6 = 1, 2
PORTS = count(20_000)  # below those that the kernel chooses


class Client:
    """A client with an allocation. `got` are the payloads that came through the relay."""

    def __init__(self, protocol: Any) -> None:
        self.protocol, self.got = protocol, asyncio.Queue[bytes]()
        protocol.receiver = self

    def datagram_received(self, data: bytes, _: tuple[str, int]) -> None:
        self.got.put_nowait(data)

    def connection_lost(self, _: Exception | None) -> None: ...

    async def ask(self, method: Method, **attributes: Any) -> Message:
        """Send a request with these attributes, their names written with underscores. Raises Refused."""
        request = Message(method, Class.REQUEST)
        request.attributes |= {name.replace("_", "-"): value for name, value in attributes.items()}
        answer, _ = await self.protocol.request_with_retry(request)
        return answer

    async def code_of(self, method: Method, **attributes: Any) -> int:
        """Send a request. Returns the error code of its refusal, 0 if it is accepted."""
        try:
            await self.ask(method, **attributes)
        except Refused as refused:
            return code_of(refused)
        return 0

    async def permit(self, peer: str) -> int:
        return await self.code_of(Method.CREATE_PERMISSION, XOR_PEER_ADDRESS=(peer, 9))

    async def bind(self, peer: str, port: int = 9) -> int:
        return await self.code_of(Method.CHANNEL_BIND, CHANNEL_NUMBER=0x4FF0, XOR_PEER_ADDRESS=(peer, port))

    async def allocate(self, family: int = IPV4, transport: int = UDP_TRANSPORT) -> int:
        """Ask for an allocation. Returns the error code of its refusal, 0 if it is accepted."""
        wanted = {} if family == IPV4 else {FAMILY: family}
        return await self.code_of(Method.ALLOCATE, LIFETIME=600, REQUESTED_TRANSPORT=transport, **wanted)

    async def send(self, data: bytes, peer: tuple[str, int]) -> None:
        await self.protocol.send_data(data, peer)


@asynccontextmanager
async def client(coturn: Coturn, user: tuple[str, str], transport: str = "udp") -> AsyncIterator[Client]:
    """A client that has reached the server, from a fresh port. Its allocation is given back at the end.

    For a while after an allocation coturn ignores the port that asked for it.
    """
    here = coturn.cable.here, next(PORTS)
    async with connection(coturn.server(transport), user, coturn.trust, here) as protocol:
        one = Client(protocol)
        yield one
        if protocol.integrity_key is not None:
            await one.code_of(Method.REFRESH, LIFETIME=0)


@asynccontextmanager
async def allocated(
    coturn: Coturn, user: tuple[str, str], family: int = IPV4, transport: str = "udp"
) -> AsyncIterator[Client]:
    """A client with an allocation."""
    async with client(coturn, user, transport) as one:
        code = await one.allocate(family)
        assert code == 0, code
        yield one


class Node:
    """A UDP port of the media node's address; answers with what it got, turned round."""

    def __init__(self, address: str) -> None:
        self.socket = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((address, 0))
        self.socket.setblocking(False)
        self.place = address, int(self.socket.getsockname()[1])
        self.got = 0
        asyncio.get_running_loop().add_reader(self.socket, self._read)

    def _read(self) -> None:
        data, sender = self.socket.recvfrom(2048)
        self.got += len(data)
        self.socket.sendto(data[::-1], sender)

    def close(self) -> None:
        asyncio.get_running_loop().remove_reader(self.socket)
        self.socket.close()


__all__ = ["IPV4", "IPV6", "TCP_TRANSPORT", "Client", "Node", "allocated", "client"]

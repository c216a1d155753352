"""A home router: it passes what comes to a forwarded port of its public address on to the machine behind it.

`python -m tests.rig.browser.router OUTSIDE INSIDE --tcp 80 443 --udp 40000 --refuse ADDRESS`; it says "ready" first.
"""

import argparse
import asyncio
from typing import Any, cast

Address = tuple[Any, ...]


class Inside(asyncio.DatagramProtocol):
    """The way of one client from outside: the machine's answers go back to that client."""

    def __init__(self, outside: asyncio.DatagramTransport, client: Address) -> None:
        self._outside, self._client = outside, client

    def datagram_received(self, data: bytes, _: Address) -> None:
        self._outside.sendto(data, self._client)


class Forwarded(asyncio.DatagramProtocol):
    """One UDP port of the public address."""

    def __init__(self, inside: Address, refused: list[str]) -> None:
        self._inside, self._refused = inside, refused
        self._ways: dict[Address, asyncio.Task[asyncio.DatagramTransport]] = {}

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._outside = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, client: Address) -> None:
        if client[0] in self._refused:
            return
        if client not in self._ways:
            self._ways[client] = asyncio.create_task(self._way(client))
        self._ways[client].add_done_callback(lambda way: way.result().sendto(data))

    async def _way(self, client: Address) -> asyncio.DatagramTransport:
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(
            lambda: Inside(self._outside, client), remote_addr=self._inside
        )
        return transport


async def lead(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, inside: Address) -> None:
    """One TCP connection, in both directions until either side closes it."""
    try:
        there, back = await asyncio.open_connection(*inside)
    except OSError:
        writer.close()
        return
    await asyncio.gather(pass_on(reader, back), pass_on(there, writer))


async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    except OSError:
        pass
    finally:
        writer.close()


async def run(outside: str, inside: str, tcp: list[int], udp: list[int], refused: list[str]) -> None:
    """Forward until the process is ended."""
    for port in tcp:
        there = (inside, port)
        await asyncio.start_server(lambda reader, writer, there=there: lead(reader, writer, there), outside, port)  # type: ignore[misc]
    for port in udp:
        there = (inside, port)
        loop = asyncio.get_running_loop()
        await loop.create_datagram_endpoint(lambda there=there: Forwarded(there, refused), local_addr=(outside, port))  # type: ignore[misc]
    print("ready", flush=True)
    await asyncio.Event().wait()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("outside", help="the public address")
    parser.add_argument("inside", help="the machine's address")
    for kind in ("tcp", "udp"):
        parser.add_argument(f"--{kind}", nargs="*", type=int, default=[], help="forwarded ports")
    parser.add_argument("--refuse", nargs="*", default=[], help="addresses whose packets are not led back in")
    chosen = parser.parse_args()
    asyncio.run(run(chosen.outside, chosen.inside, chosen.tcp, chosen.udp, chosen.refuse))


if __name__ == "__main__":
    main()

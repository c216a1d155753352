"""Machines of a test's own, as network namespaces with links between them, so that a network can really go away.

They need root, iproute2 and a kernel with veth. This machine's own network, with the other browsers, stays as it is.
"""

import ctypes
import os
import socket
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from threading import Thread
from typing import NamedTuple, TypeVar

T = TypeVar("T")
CLONE_NEWNET = 0x40000000  # unshare(2)
_libc = ctypes.CDLL(None, use_errno=True)


class Link(NamedTuple):
    """A network of one user: its name, the node's address in it and the user's own. Of two, the lower metric wins."""

    name: str
    nodes: str
    own: str
    metric: int = 100
    bits: int = 30  # of an IPv4 address, that are the network's

    def at(self, address: str) -> list[str]:
        """The arguments of iproute2 that give an end this address at once."""
        return [f"{address}/64", "nodad"] if ":" in address else [f"{address}/{self.bits}"]


class Place:
    """A machine of its own; `with` makes it and takes it away."""

    def __init__(self, name: str) -> None:
        self.name = f"spaces-{name}-{os.getpid()}"
        self._links: dict[str, Link] = {}
        self._ends: list[str] = []  # of links that others have laid to here

    def __enter__(self) -> "Place":
        _ip("netns", "add", self.name)
        self._ip("link", "set", "lo", "up")
        return self

    def __exit__(self, *_: object) -> None:
        _ip("netns", "del", self.name)  # with the ends of its links

    def connect(self, node: "Place", link: Link) -> None:
        """Lay a link to the node's place; it is not used yet."""
        self._links[link.name] = link
        there = f"{link.name}{len(self._links)}-{self.name[7:10]}"
        self._ip("link", "add", link.name, "type", "veth", "peer", "name", there, "netns", node.name)
        node._ip("addr", "add", *link.at(link.nodes), "dev", there)
        node._ip("link", "set", there, "up")
        node._ends.append(there)

    def bridge(self, address: str) -> None:
        """Be a switch between all links that are laid here by now, with this address on it."""
        self._ip("link", "add", "bridge", "type", "bridge")
        for end in self._ends:
            self._ip("addr", "flush", "dev", end)
            self._ip("link", "set", end, "master", "bridge")
        self._ip("addr", "add", address, "dev", "bridge")
        self._ip("link", "set", "bridge", "up")

    def add(self, address: str) -> None:
        """Have one more address, which is on no link: others come to it over any."""
        self._ip("addr", "add", address, "dev", "lo")

    def join(self, name: str) -> None:
        """Come into a network."""
        link = self._links[name]
        self._ip("link", "set", name, "up")
        self._ip("addr", "replace", *link.at(link.own), "dev", name)
        self._ip("route", "replace", "default", "via", link.nodes, "metric", str(link.metric))

    def leave(self, name: str) -> None:
        """Lose a network, with the address in it."""
        self._ip("link", "set", name, "down")
        self._ip("addr", "flush", "dev", name)

    def sent(self, name: str) -> int:
        """How many packets have gone out into a network so far."""
        counted = f"/sys/class/net/{name}/statistics/tx_packets"
        return int(subprocess.run([*self.prefix, "cat", counted], capture_output=True, check=True).stdout)

    @property
    def prefix(self) -> list[str]:
        """The command that runs another command here."""
        return ["ip", "netns", "exec", self.name]

    def program(self, path: str, folder: Path) -> str:
        """The path of a script that runs this program here."""
        script = folder / self.name
        script.write_text(f'#!/bin/sh\nexec {" ".join(self.prefix)} {path} "$@"\n')
        script.chmod(0o755)
        return str(script)

    def enter(self) -> None:
        """Move the calling thread here for good: it cannot go back."""
        with open(f"/run/netns/{self.name}") as place:
            assert _libc.setns(place.fileno(), CLONE_NEWNET) == 0, os.strerror(ctypes.get_errno())

    def do(self, act: Callable[[], T]) -> T:
        """Do something here, in a thread of its own. A socket that is made so stays here."""

        def enter_and_act() -> T:
            self.enter()
            return act()

        with ThreadPoolExecutor(1) as thread:
            return thread.submit(enter_and_act).result()

    def _ip(self, *arguments: str) -> None:
        _ip("-n", self.name, *arguments)


class Forwarder:
    """Forwards a TCP port of one place to the same port on the loopback of another; None is this machine.

    A browser takes what it reaches on its own loopback for its own machine, so such pages are secure contexts. A
    forwarder at another `host` is reached over the links.
    """

    def __init__(
        self, port: int, *, listens: Place | None = None, connects: Place | None = None, host: str = "127.0.0.1"
    ) -> None:
        self._port, self._host = port, host
        opening = Thread(target=self._open, args=[listens])
        opening.start()
        opening.join()
        self._accepting = Thread(target=self._accept, args=[connects], daemon=True)
        self._accepting.start()

    def _open(self, listens: Place | None) -> None:
        if listens is not None:
            listens.enter()
        self._listening = socket.create_server((self._host, self._port))

    def _accept(self, connects: Place | None) -> None:
        if connects is not None:
            connects.enter()
        with suppress(OSError):  # closed
            while True:
                theirs, _ = self._listening.accept()
                self._lead(theirs)

    def _lead(self, theirs: socket.socket) -> None:
        try:
            ours = socket.create_connection(("127.0.0.1", self._port))
        except ConnectionRefusedError:
            theirs.close()
            return
        for one, other in ((theirs, ours), (ours, theirs)):
            Thread(target=_pass_on, args=[one, other], daemon=True).start()

    def __enter__(self) -> "Forwarder":
        return self

    def __exit__(self, *_: object) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._accepting.join()


def _pass_on(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65_536):
            sink.sendall(data)
    for end in (source, sink):
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
        end.close()


def _ip(*arguments: str) -> None:
    done = subprocess.run(["ip", *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"ip {' '.join(arguments)}: {done.stderr}"

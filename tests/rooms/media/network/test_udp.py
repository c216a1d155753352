"""The port: many packets at once, and answers that leave from the address that was asked."""

import errno
import os
import re
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rooms.media.network.udp import UdpPort, unpack

USER_NOBODY = 65_534


@pytest.fixture
def port() -> Iterator[Callable[..., UdpPort]]:
    opened = []

    def open_port(host: str = "127.0.0.1", number: int = 0, **more: Any) -> UdpPort:
        opened.append(UdpPort(host, number, **more))
        return opened[-1]

    yield open_port
    for each in opened:
        each.close()


@pytest.mark.parametrize(
    ("listening", "calling"),
    [("127.0.0.1", "127.0.0.1"), ("0.0.0.0", "127.0.0.1"), ("::", "127.0.0.1"), ("::", "::1"), ("::1", "::1")],
)
def test_packets_go_there_and_back(port: Callable[..., UdpPort], listening: str, calling: str) -> None:
    node, browser = port(listening), port(calling)
    assert browser.send(b"question", browser.pack(calling, node.port))
    ((data, address),) = node.receive()
    assert data == b"question"
    assert unpack(address) == (calling, browser.port)
    assert node.send(b"answer", address)
    ((data, address),) = browser.receive()
    assert (data, unpack(address)) == (b"answer", (calling, node.port))


@pytest.mark.parametrize("listening", ["0.0.0.0", "::"])
def test_the_answer_leaves_from_the_address_that_was_asked(port: Callable[..., UdpPort], listening: str) -> None:
    node, browser = port(listening), port("127.0.0.3")
    browser.send(b"question", browser.pack("127.0.0.2", node.port))
    ((_, address),) = node.receive()
    node.send(b"answer", address)
    ((_, address),) = browser.receive()
    assert unpack(address) == ("127.0.0.2", node.port)


@pytest.mark.parametrize("listening", ["0.0.0.0", "::"])
def test_many_answers_leave_from_the_addresses_that_were_asked(port: Callable[..., UdpPort], listening: str) -> None:
    """Our address is named only if the kernel would choose another one: naming it costs."""
    node, browsers, asked = port(listening), [port() for _ in range(3)], ["127.0.0.1", "127.0.0.2", "127.0.0.3"]
    rows = np.full((4, 6), 7, np.uint8)
    envelopes = node.envelopes(rows)
    envelopes.sizes[:] = 6
    for row, (browser, host) in enumerate(zip(browsers, asked, strict=True)):
        browser.send(b"question", browser.pack(host, node.port))
        ((_, address),) = node.receive()
        envelopes.address(row, address)
    envelopes.move(3, 1)
    assert (envelopes.headers["control_size"] > 0).tolist() == [False, True, True, True]
    assert node.send_many(envelopes.headers[[0, 3, 2]]) == 3
    assert [unpack(browser.receive()[0][1])[0] for browser in browsers] == asked


def test_the_choice_of_the_kernel_is_asked_for_each_address(port: Callable[..., UdpPort]) -> None:
    """A connected socket keeps its first local address until it is disconnected."""
    node = port("::")
    envelopes = node.envelopes(np.full((1, 6), 7, np.uint8))
    for host in ("127.0.0.1", "::1", "127.0.0.1"):
        browser = port(host)
        browser.send(b"question", browser.pack(host, node.port))
        ((_, address),) = node.receive()
        envelopes.address(0, address)
        assert envelopes.headers["control_size"][0] == 0, host


def test_no_packet_is_no_packet(port: Callable[..., UdpPort]) -> None:
    assert port().receive() == []


def test_a_batch_at_a_time_in_order(port: Callable[..., UdpPort]) -> None:
    node, browser = port(batch=4), port()
    for number in range(6):
        browser.send(bytes([number]), browser.pack("127.0.0.1", node.port))
    assert [data[0] for data, _ in node.receive()] == [0, 1, 2, 3]
    assert [data[0] for data, _ in node.receive()] == [4, 5]


def test_what_the_queue_has_no_room_for_is_counted(port: Callable[..., UdpPort]) -> None:
    node, browser = port(queue=4096), port()
    for _ in range(5):
        browser.send(b"packet", browser.pack("127.0.0.1", node.port))
    assert node.overflowed == 0
    for _ in range(100):
        browser.send(b"packet", browser.pack("127.0.0.1", node.port))
    assert node.overflowed == 105 - len(node.receive()) > 0


@pytest.mark.parametrize("user", [os.geteuid(), USER_NOBODY])
def test_the_queue_is_as_long_as_asked_for_or_as_the_machine_allows(port: Callable[..., UdpPort], user: int) -> None:
    allowed = int(Path("/proc/sys/net/core/rmem_max").read_text())
    wanted = 2 * allowed
    before = os.geteuid()
    if before == 0:
        os.seteuid(user)
    try:
        kept = port(queue=wanted).socket.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF)
    finally:
        os.seteuid(before)
    assert kept == 2 * (wanted if user == before == 0 and may_administer_networks() else allowed)  # doubled for notes


def may_administer_networks() -> bool:
    """Whether this process has CAP_NET_ADMIN (capabilities(7)), number 12 of the effective ones."""
    said = re.search(r"^CapEff:\s*([0-9a-f]+)", Path("/proc/self/status").read_text(), re.MULTILINE)
    return said is not None and bool(int(said[1], 16) >> 12 & 1)


def test_many_rows_leave_in_one_go(port: Callable[..., UdpPort]) -> None:
    node, browsers = port("::"), [port() for _ in range(5)]
    packets = np.tile(np.arange(5, dtype=np.uint8)[:, None], (1, 10))
    envelopes = node.envelopes(packets)
    envelopes.sizes[:] = [1, 2, 3, 4, 5]
    for row, browser in enumerate(browsers):
        envelopes.address(row, node.pack("127.0.0.1", browser.port))
    assert node.send_many(envelopes.headers[[0, 2, 4]]) == 3
    assert [[data for data, _ in browser.receive()] for browser in browsers] == [
        [b"\0"],
        [],
        [b"\2" * 3],
        [],
        [b"\4" * 5],
    ]


def test_one_that_cannot_be_sent_does_not_hold_up_the_others(port: Callable[..., UdpPort]) -> None:
    node, browser = port(), port()
    envelopes = node.envelopes(np.zeros((2, 10), np.uint8))
    envelopes.sizes[:] = 10
    envelopes.address(0, node.pack("0.0.0.0", 0))  # nowhere
    envelopes.address(1, node.pack("127.0.0.1", browser.port))
    assert node.send_many(envelopes.headers) == 1
    assert len(browser.receive()) == 1


def test_a_taken_port_is_named(port: Callable[..., UdpPort]) -> None:
    taken = port().port
    with pytest.raises(OSError, match=f"UDP port {taken}") as error:
        port("127.0.0.1", taken)
    assert error.value.errno == errno.EADDRINUSE


def test_an_address_of_another_machine_is_refused(port: Callable[..., UdpPort]) -> None:
    with pytest.raises(OSError, match=r"198\.51\.100\.1"):
        port("198.51.100.1")

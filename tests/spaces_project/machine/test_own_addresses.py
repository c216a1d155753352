"""The addresses at which a machine's own browsers reach its media node."""

import socket

import pytest

from spaces_project.machine import own_addresses
from spaces_project.management.commands.runspaces import Command


def test_each_one_is_an_address_of_this_machine() -> None:
    for address in own_addresses.in_networks():
        with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.bind((address, 0))
        assert not address.startswith(("127.", "::1", "fe80:"))


@pytest.mark.parametrize(
    "elsewhere",
    [{socket.AF_INET: "127.0.0.2", socket.AF_INET6: "::1"}, {socket.AF_INET: "255.255.255.255"}],
    ids=["loopback is no network", "no way there"],
)
def test_a_machine_in_no_network_has_none(
    monkeypatch: pytest.MonkeyPatch, elsewhere: dict[socket.AddressFamily, str]
) -> None:
    monkeypatch.setattr(own_addresses, "ELSEWHERE", elsewhere)
    assert own_addresses.in_networks() == []


@pytest.mark.parametrize(
    ("addresses", "bind"),
    [([], "127.0.0.1"), (["192.0.2.7"], "0.0.0.0"), (["192.0.2.7", "2001:db8::7"], "::"), (["2001:db8::7"], "::")],
)
def test_packets_to_loopback_and_to_each_address_arrive(addresses: list[str], bind: str) -> None:
    assert own_addresses.bind_to(addresses) == bind


@pytest.mark.parametrize(
    ("addresses", "words"),
    [
        ([], "is not in a network, so Firefox plays the sound a few seconds late"),
        (["192.0.2.7"], "arrives at 192.0.2.7"),
    ],
)
def test_a_demonstration_says_what_firefox_gets(addresses: list[str], words: str) -> None:
    command = Command()
    command.own_addresses, command.media = addresses, []
    assert words in command.about_sound()

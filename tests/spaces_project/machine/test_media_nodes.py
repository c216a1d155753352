"""Several media nodes on one machine: ports, names, and what the supervisor does with them."""

import os
import signal
import socket

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from spaces_project.doctor import sound
from spaces_project.machine import media_nodes
from spaces_project.machine.processes import with_patience
from tests.rig.machine import START_SECONDS, Machine, free_port

PORTS = {"media": 40000, "media_http": 40001}


def test_their_ports_follow_one_another_and_each_has_its_name(settings: Settings) -> None:
    settings.MEDIA_NAME = "berlin"
    three = media_nodes.of(3, PORTS)
    assert [(node.child, node.port, node.http_port, node.name) for node in three] == [
        ("media-1", 40000, 40001, "berlin-1"),
        ("media-2", 40001, 40002, "berlin-2"),
        ("media-3", 40002, 40003, "berlin-3"),
    ]
    [one] = media_nodes.of(1, PORTS)
    assert (one.child, one.name) == ("media", "berlin")


def test_without_a_name_they_are_called_after_host_and_port(settings: Settings) -> None:
    settings.MEDIA_NAME = ""
    assert len({node.name for node in media_nodes.of(2, PORTS)}) == 2


@pytest.mark.parametrize(("cores", "nodes"), [(1, 1), (2, 1), (8, 7)])
def test_zero_is_one_per_core_but_one(monkeypatch: pytest.MonkeyPatch, cores: int, nodes: int) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(cores)))
    assert len(media_nodes.of(0, PORTS)) == nodes


def test_ports_beyond_the_last_one_are_refused(settings: Settings) -> None:
    with pytest.raises(media_nodes.NoSuchPort, match="need ports up to 65536; the last is 65535"):
        media_nodes.of(3, {"media": 65534, "media_http": 40000})
    with pytest.raises(CommandError, match="need ports up to 65536"):
        call_command("runspaces", media_port="65534", media_nodes="3")
    settings.MEDIA_PORT, settings.MEDIA_NODES = 65534, 3
    [fault] = sound.udp_port()
    assert (fault.ok, fault.mend) == (False, "Set MEDIA_PORT and MEDIA_HTTP_PORT lower, or MEDIA_NODES.")


@pytest.mark.parametrize("wrong", ["-1", "65", "two"])
def test_a_wrong_number_of_them_is_one_line(wrong: str) -> None:
    with pytest.raises(CommandError, match="--media-nodes is a whole number from 0 to 64"):
        call_command("runspaces", media_nodes=wrong)


def test_the_doctor_looks_at_every_port(settings: Settings) -> None:
    settings.MEDIA_BIND, settings.MEDIA_NODES, settings.MEDIA_ANNOUNCE = "127.0.0.1", 2, ["127.0.0.1"]
    settings.MEDIA_PORT = two_free(socket.SOCK_DGRAM)
    found = [finding.what for finding in sound.udp_port()]
    assert found == [f"UDP port {settings.MEDIA_PORT}", f"UDP port {settings.MEDIA_PORT + 1}"]


def two_free(kind: socket.SocketKind) -> int:
    """The first of two ports that are free and follow one another."""
    while True:
        port = free_port(kind)
        with socket.socket(socket.AF_INET, kind) as second:
            try:
                second.bind(("127.0.0.1", port + 1))
            except (OSError, OverflowError):
                continue
            return port


@pytest.mark.alone
@pytest.mark.proof
def test_two_nodes_run_one_is_stopped_for_good_and_the_other_one_comes_back(machine: Machine) -> None:
    machine.media, machine.media_http = two_free(socket.SOCK_DGRAM), two_free(socket.SOCK_STREAM)
    machine.start("--media-nodes", "2")
    listed = machine.command("media", "list").stdout
    print(listed)
    assert listed.endswith("2 running.\n")
    names = [line.split()[0] for line in listed.splitlines()[:2]]
    said = machine.command("doctor").stdout
    for port in (machine.media, machine.media + 1):
        assert f"good     UDP port {port}: a packet to 127.0.0.1 arrives at the node" in said
    done = machine.command("media", "stop", names[1], "--wait")
    assert (done.returncode, done.stdout) == (0, f"{names[1]} is ending.\n{names[1]} has ended.\n")
    machine.wait_for("media-2 ended on request")
    os.kill(machine.child("runmedia", names[0]), signal.SIGKILL)
    machine.wait_for("media-1 started again.")
    assert with_patience(lambda: machine.health()["nodes"] == 1, START_SECONDS)
    assert machine.said().count("media-2 started again.") == 0
    assert machine.end(signal.SIGTERM) < 10

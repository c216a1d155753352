"""What the console says when a demonstration runs: who is who, and at the end the links that log in."""

from collections.abc import Iterator
from pathlib import Path

from spaces_project.demo import links
from spaces_project.demo.people import CAST


def lines(address: str, password: str, secret: str, sound: str, logs: Path | None) -> Iterator[str]:
    """Line by line. `sound` says where the sound arrives; `logs` is where the processes write, unless it is here."""
    yield "This is a demonstration: its pages are for this machine only, and its members are made up."
    yield sound
    if logs is not None:
        yield f"The output of the processes is in {logs}. --verbose prints it here."
    yield ""
    for member in CAST:
        yield f"  {member.handle:<5} {member.part}"
    yield f"  The password of each is {password}"
    yield ""
    yield "A browser is one person at a time. Use a private window or another browser for the next person."
    yield "Wear headphones. Without them, your microphone picks up the loudspeaker and howls."
    yield "These links log in with one click, on this machine, until the demonstration stops:"
    yield ""
    for way in links.WAYS:
        yield f"  {way.plain:<22} {address}{links.path(secret, way.handle)}"

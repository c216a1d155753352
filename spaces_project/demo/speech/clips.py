"""The clips of the spoken turns: Ogg files with one Opus stream, sent packet by packet as they are."""

from functools import cache
from pathlib import Path

import av

from rooms.media.sound.opus import DTX_PACKET, FRAME, SILENT_PACKET, samples_of
from spaces_project.demo.speech.texts import Voice, speaker

CLIPS = Path(__file__).parent / "clips"
ENDING = (SILENT_PACKET, SILENT_PACKET, DTX_PACKET)  # a listener's decoder comes to rest, and waits for no more


def described(turn: str, text: str, voice: Voice) -> dict[str, str]:
    """The tags of a clip: what it was made of."""
    made = f"{voice.name} {voice.speed} {voice.pitch}"
    return {"TITLE": turn, "ARTIST": speaker(turn), "LYRICS": text, "VOICE": made}


def tags_of(path: Path) -> dict[str, str]:
    """The tags of a file, without those that its writer adds."""
    with av.open(str(path), format="ogg") as container:
        found = container.metadata | container.streams.audio[0].metadata
    return {name: value for name, value in found.items() if name.upper() != "ENCODER"}


@cache
def packets(turn: str) -> tuple[bytes, ...]:
    """The packets of 20 ms of a turn, with a few that say that it is over. FileNotFoundError for one without a clip."""
    with av.open(str(CLIPS / f"{turn}.opus"), format="ogg") as container:
        spoken = [bytes(packet) for packet in container.demux(audio=0) if packet.size]
    assert all(samples_of(packet) == FRAME for packet in spoken), turn
    return (*spoken, *ENDING)


def seconds(turn: str) -> float:
    """How long a turn takes."""
    return len(packets(turn)) * FRAME / 48_000

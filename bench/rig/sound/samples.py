"""Sound for the benchmarks: synthetic voices, real speech from Debian, and how a listener plays packets."""

from collections.abc import Sequence
from pathlib import Path

import av
import numpy as np

from bench.rig.machine import Missing
from bench.rig.peers import TimedPacket
from rooms.media.client.tones import encode
from rooms.media.sound.opus import Decoder, Pcm
from rooms.media.units import SAMPLE_RATE

LOOP_SECONDS = 30
SPEECH = Path("/usr/share/asterisk/sounds/en_US_f_Allison")
SPEECH_PACKAGE = "asterisk-core-sounds-en-g722"
LEAST_OCTETS = 24_000  # of a file, 3 s of speech: sentences, not single words


def talk(hertz: float, seconds: int = LOOP_SECONDS) -> Pcm:
    """Something like a voice: a tone with overtones in syllables, and hiss. No two voices are in step."""
    at = np.arange(seconds * SAMPLE_RATE) / SAMPLE_RATE
    tones = sum(np.sin(2 * np.pi * hertz * number * at) / number for number in range(1, 12))
    syllables = np.clip(np.sin(2 * np.pi * 3 * at + hertz), 0, 1)
    hiss = np.random.default_rng(int(hertz)).normal(0, 0.05, len(at))
    return ((tones * 0.3 + hiss) * syllables * 6000).astype(np.int16)


def voices(count: int) -> list[list[bytes]]:
    """The packets of speakers who talk all the time: half a minute each, to be repeated."""
    return [encode(talk(110 + 23 * number)) for number in range(count)]


def speech(seconds: float, first: int = 0) -> Pcm:
    """`seconds` of real speech: sentences of Debian's sounds from number `first` on.

    Raises Missing if the package is not installed.
    """
    files = sorted(path for path in SPEECH.glob("*.g722") if path.stat().st_size >= LEAST_OCTETS)
    if not files:
        raise Missing(f"real speech is missing: apt-get install {SPEECH_PACKAGE}")
    wanted, parts = round(seconds * SAMPLE_RATE), [np.zeros(0, np.int16)]
    number = first
    while sum(map(len, parts)) < wanted:
        parts.append(_decoded(files[number % len(files)]))
        number += 1
    return np.concatenate(parts)[:wanted]


def _decoded(path: Path) -> Pcm:
    resampler = av.AudioResampler(format="s16", layout="mono", rate=SAMPLE_RATE)
    with av.open(str(path), format="g722") as container:
        frames = [made for frame in container.decode(audio=0) for made in resampler.resample(frame)]
    frames += resampler.resample(None)
    return np.concatenate([frame.to_ndarray().reshape(-1) for frame in frames])


def played(packets: Sequence[TimedPacket]) -> tuple[Pcm, int]:
    """The sound of packets that arrived, and how many were lost in between.

    As in a browser, a lost packet is taken from its copy in the next packet, or invented.
    """
    decoder, sound, lost = Decoder(), [np.zeros(0, np.int16)], 0
    ordered = sorted(packets)
    expected = ordered[0].sequence if ordered else 0
    for packet in ordered:
        if packet.sequence < expected:  # doubled
            continue
        gap = packet.sequence - expected
        lost += gap
        sound += [decoder.conceal() for _ in range(gap - 1)]
        sound += [decoder.recover(packet.payload)] if gap else []
        sound.append(decoder.decode(packet.payload))
        expected = packet.sequence + 1
    return np.concatenate(sound), lost

"""Sound that the tests make, and how they find tones in sound by Fourier transform."""

import io
from functools import cache

import av
import numpy as np
import numpy.typing as npt

from rooms.media.capture.tap import Chunk, Tap
from rooms.media.sound.opus import Encoder
from rooms.media.units import FRAME, MS, SAMPLE_RATE

Pcm = npt.NDArray[np.int16]
Samples = npt.NDArray[np.float32]


def tone(hertz: float, seconds: float, level: float = 0.2) -> Pcm:
    """A sine; `level` 1.0 is full scale."""
    return (np.sin(2 * np.pi * hertz * np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE) * level * 32767).astype(
        np.int16
    )


def packets(pcm: Pcm) -> list[bytes]:
    """Opus packets of 20 ms."""
    return _packets(pcm.tobytes())


@cache
def _packets(pcm: bytes) -> list[bytes]:
    """Kept, since the same few tones are in every test."""
    encoder, sound = Encoder(bitrate=48_000), np.frombuffer(pcm, np.int16)
    return [encoder.encode(sound[i : i + FRAME]) for i in range(0, len(sound) - FRAME + 1, FRAME)]


def captured(
    pcm: Pcm, start_ms: int, space: object = "space", turn: object = "turn", participant: object = "participant"
) -> list[Chunk]:
    """What the node's tap makes of it, heard from room time `start_ms` on. `turn` None: the listeners' mix."""
    chunks: list[Chunk] = []
    names = (str(turn), str(participant)) if turn else (None, None)
    tap = Tap(str(space), names[0], names[1], chunks.append)
    for number, packet in enumerate(packets(pcm)):
        tap.write(packet, FRAME, number * FRAME, start_ms * MS + number * FRAME)
    tap.close()
    return chunks


def decoded(data: bytes) -> Samples:
    """An Ogg/Opus file as samples, by FFmpeg's own reader and decoder, each frame at its time."""
    with av.open(io.BytesIO(data), "r", format="ogg") as container:
        frames = [(frame.pts or 0, frame.to_ndarray().reshape(-1)) for frame in container.decode(audio=0)]
    total = max((pts + len(pcm) for pts, pcm in frames), default=0)
    sound = np.zeros(total, np.float32)
    for pts, pcm in frames:
        sound[max(0, pts) : pts + len(pcm)] = pcm[max(0, -pts) :]
    return sound


def strength(sound: Samples, hertz: float, start_ms: float, length_ms: float = 50) -> float:
    """How loud a tone is in a stretch of the sound: its amplitude, full scale 1.0."""
    part = sound[int(start_ms * MS) : int((start_ms + length_ms) * MS)]
    if len(part) < MS:
        return 0.0
    window = np.hanning(len(part))
    wave = np.exp(-2j * np.pi * hertz * np.arange(len(part)) / SAMPLE_RATE)
    return float(2 * abs(np.sum(part * window * wave)) / np.sum(window))


def heard_from_to(sound: Samples, hertz: float, threshold: float = 0.02) -> list[tuple[int, int]]:
    """When a tone is heard: stretches in ms, by windows of 40 ms every 10 ms."""
    wave = np.exp(-2j * np.pi * hertz * np.arange(len(sound)) / SAMPLE_RATE)
    summed = np.concatenate([[0], np.cumsum(sound * wave)])
    stretches: list[tuple[int, int]] = []
    for middle in range(20, len(sound) // MS - 20, 10):
        if 2 * abs(summed[(middle + 20) * MS] - summed[(middle - 20) * MS]) / (40 * MS) < threshold:
            continue
        if stretches and middle - stretches[-1][1] <= 10:
            stretches[-1] = (stretches[-1][0], middle)
        else:
            stretches.append((middle, middle))
    return stretches


def loudest(sound: Samples) -> float:
    return float(np.abs(sound).max(initial=0.0))

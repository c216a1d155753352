"""How fast a recording is mixed: `python -m bench.archive --voices 3 --minutes 10`. The last line is JSON."""

import argparse
import json
import resource
import tempfile
import time
from itertools import count

from bench.rig.sound.samples import talk
from recordings.mixing.decode import Piece
from recordings.mixing.mix import mix
from rooms.media.capture.tap import Chunk, Tap
from rooms.media.sound.opus import Encoder
from rooms.media.units import FRAME

LOOP_MS = 30_000  # of sound, which is repeated


def voice(hertz: float) -> list[Chunk]:
    """The chunks of half a minute of a synthetic voice, as the tap writes them."""
    pcm = talk(hertz, LOOP_MS // 1000)
    chunks: list[Chunk] = []
    tap, encoder = Tap("space", f"turn-{hertz}", "participant", chunks.append), Encoder()
    for place in range(0, len(pcm), FRAME):
        tap.write(encoder.encode(pcm[place : place + FRAME]), FRAME, place, place)
    tap.close()
    return chunks


def pieces(chunks: list[Chunk], minutes: int) -> list[Piece]:
    """Repeat the chunks for `minutes`."""
    return [piece(chunk, later) for later in range(0, minutes * 60_000, LOOP_MS) for chunk in chunks]


def piece(chunk: Chunk, later_ms: int) -> Piece:
    return Piece(chunk.start_ms + later_ms, chunk.duration_ms, lambda: chunk.data)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--voices", type=int, default=3, help="speakers who talk all the time (3)")
    parser.add_argument("--minutes", type=int, default=10, help="length of the Space (10)")
    chosen = parser.parse_args()
    voices = [voice(hertz) for hertz, _number in zip(count(110, 23), range(chosen.voices), strict=False)]
    wall, cpu = time.monotonic(), time.process_time()
    with tempfile.TemporaryFile() as out:
        mixed = mix([pieces(chunks, chosen.minutes) for chunks in voices], out)
        octets = out.tell()
    wall, cpu = time.monotonic() - wall, time.process_time() - cpu
    figures = {
        "bench": "archive",
        "voices": chosen.voices,
        "minutes": chosen.minutes,
        "cpu_s_per_hour": round(cpu * 60 / chosen.minutes, 1),
        "times_real_time": round(chosen.minutes * 60 / wall, 1),
        "lufs": mixed.loudness,
        "mb_per_hour": round(octets * 60 / chosen.minutes / 1e6, 1),
        "most_memory_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000),
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()

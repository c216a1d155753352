"""Make the clips of `texts.py` with espeak-ng: `make speech`. Debian's package espeak-ng is needed for this alone.

A clip whose text and voice are the same as before stays as it is, so a changed word changes one file.
"""

import io
import subprocess
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.audio.resampler import AudioResampler

from rooms.media.sound.opus import SAMPLE_RATE, Pcm
from spaces_project.demo.speech.clips import CLIPS, described, tags_of
from spaces_project.demo.speech.texts import TURNS, VOICES, Voice, speaker

BITRATE = 13_000
LOUD = 0.1  # RMS of what is spoken, full scale being 1
PEAK = 0.9
SILENT = 0.01  # amplitude below which a beginning or an end is cut off
ENCODING = {"application": "voip", "frame_duration": "20", "vbr": "on", "compression_level": "10"}


def spoken(text: str, voice: Voice) -> Pcm:
    """The text as espeak-ng says it, at 48 kHz."""
    command = ["espeak-ng", "-v", voice.name, "-s", str(voice.speed), "-p", str(voice.pitch), "--stdout", "--", text]
    said = subprocess.run(command, check=True, capture_output=True).stdout
    resampler = AudioResampler("s16", "mono", SAMPLE_RATE)
    with av.open(io.BytesIO(said), "r", format="wav") as container:
        frames = [part for frame in container.decode(audio=0) for part in resampler.resample(frame)]
        frames += resampler.resample(None)
    return np.concatenate([frame.to_ndarray()[0] for frame in frames])


def levelled(sound: Pcm) -> Pcm:
    """The sound without silence around it, as loud as every other clip."""
    scaled = sound.astype(np.float64) / 32767
    audible = np.flatnonzero(np.abs(scaled) > SILENT)
    scaled = scaled[audible[0] : audible[-1] + 1]
    loud = scaled[np.abs(scaled) > SILENT]
    gain = min(LOUD / np.sqrt(np.mean(loud**2)), PEAK / np.abs(scaled).max())
    return np.rint(scaled * gain * 32767).astype(np.int16)


def write(path: Path, sound: Pcm, tags: dict[str, str]) -> None:
    with av.open(str(path), "w", format="ogg") as container:
        container.metadata.update(tags)
        stream = container.add_stream("libopus", rate=SAMPLE_RATE, layout="mono", options=ENCODING)
        stream.bit_rate = BITRATE
        frame = av.AudioFrame.from_ndarray(sound[np.newaxis], format="s16", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = SAMPLE_RATE, 0, Fraction(1, SAMPLE_RATE)
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            container.mux(packet)


def main() -> None:
    CLIPS.mkdir(exist_ok=True)
    for stray in {path.stem for path in CLIPS.glob("*.opus")} - set(TURNS):
        (CLIPS / f"{stray}.opus").unlink()
    for turn, text in TURNS.items():
        voice = VOICES[speaker(turn)]
        path, tags = CLIPS / f"{turn}.opus", described(turn, text, voice)
        if not path.exists() or tags_of(path) != tags:
            write(path, levelled(spoken(text, voice)), tags)
            print(f"{turn}: {path.stat().st_size} bytes")
    print(f"{len(TURNS)} clips, {sum(path.stat().st_size for path in CLIPS.glob('*.opus'))} bytes")


if __name__ == "__main__":
    main()

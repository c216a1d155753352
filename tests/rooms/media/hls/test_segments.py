"""What is cut into segments sounds as it did, without a seam."""

import io
from itertools import pairwise

import av
import numpy as np
import pytest

from rooms.media.hls.playlist import TARGET_SECONDS
from rooms.media.hls.segments import ENCODINGS, SEGMENT, Cut, Stretch, split
from rooms.media.sound.opus import Encoder, Pcm
from rooms.media.units import FRAME, SAMPLE_RATE

START = 5 * SAMPLE_RATE + 1234  # room time, somewhere within a segment
FREQUENCY = 480
PIECE = 10 * FRAME


def tone(samples: int) -> Pcm:
    """Of a frequency that no frame of AAC or Opus is a multiple of."""
    return (0.4 * 32767 * np.sin(2 * np.pi * FREQUENCY * np.arange(samples) / SAMPLE_RATE)).astype(np.int16)


def cuts_of(sound: Pcm) -> dict[str, list[Cut]]:
    """The segments of a sound, the last one too."""
    stretch, encoder = Stretch(START), Encoder()
    cuts: dict[str, list[Cut]] = {"aac": [], "opus": []}

    def take(cut: dict[str, Cut] | None) -> bool:
        for way, one in (cut or {}).items():
            cuts[way].append(one)
        return cut is not None

    for place in range(0, len(sound), PIECE):
        piece = sound[place : place + PIECE]
        stretch.write(piece.tobytes(), [encoder.encode(piece[at : at + FRAME]) for at in range(0, len(piece), FRAME)])
        while take(stretch.cut(len(cuts["aac"]))):
            pass
    take(stretch.finish(len(cuts["aac"])))
    return cuts


def decoded(cuts: list[Cut]) -> Pcm:
    """What a player makes of these segments, from the first sample of the first packet on."""
    with av.open(io.BytesIO(cuts[0].init + b"".join(cut.data for cut in cuts)), "r", format="mp4") as file:
        return np.concatenate([frame.to_ndarray()[0] for frame in file.decode(audio=0)]) * 32767


@pytest.fixture(scope="module")
def nine_seconds() -> dict[str, list[Cut]]:
    return cuts_of(tone(9 * SAMPLE_RATE))


@pytest.mark.parametrize("way", ["aac", "opus"])
def test_segments_begin_every_two_seconds_of_room_time(nine_seconds: dict[str, list[Cut]], way: str) -> None:
    cuts = nine_seconds[way]
    assert [cut.start // SEGMENT for cut in cuts[1:]] == [3, 4, 5, 6, 7][: len(cuts) - 1]
    assert all(cut.start % SEGMENT < 1024 for cut in cuts[1:])
    for cut in cuts:
        assert round(cut.samples / SAMPLE_RATE) <= TARGET_SECONDS


@pytest.mark.parametrize("way", ["aac", "opus"])
def test_each_segment_begins_at_the_end_of_the_one_before(nine_seconds: dict[str, list[Cut]], way: str) -> None:
    for one, other in pairwise(nine_seconds[way]):
        assert one.start + one.samples == other.start
        assert base_time(other.data) == other.start
        assert one.init == other.init


def base_time(data: bytes) -> int:
    """The beginning of a segment by its own data (`tfdt`, ISO/IEC 14496-12 section 8.8.12)."""
    at = data.index(b"tfdt")
    assert data[at + 4] == 1, "64 bits: room time goes on for long"
    return int.from_bytes(data[at + 8 : at + 16], "big")


@pytest.mark.parametrize("way", ["aac", "opus"])
def test_the_tone_is_heard_without_a_click_between_segments(nine_seconds: dict[str, list[Cut]], way: str) -> None:
    heard = decoded(nine_seconds[way]).astype(float)[SAMPLE_RATE : 8 * SAMPLE_RATE]
    power = np.abs(np.fft.rfft(heard * np.hanning(len(heard))))
    assert abs(np.argmax(power) * SAMPLE_RATE / len(heard) - FREQUENCY) < 1
    jumps = np.abs(np.diff(heard - fitted(heard))) / 32767
    print(f"{way}: from sample to sample, what is not the tone changes by at most {jumps.max():.4f}")
    assert jumps.max() < 0.02, "a click at a seam would stand out from the noise of 32 kbit/s"


def fitted(heard: "np.ndarray[tuple[int], np.dtype[np.float64]]") -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
    """The sine of the tone's frequency that is nearest to what is heard."""
    angle = 2 * np.pi * FREQUENCY * np.arange(len(heard)) / SAMPLE_RATE
    base = np.stack([np.sin(angle), np.cos(angle)], axis=1)
    return np.asarray(base @ np.linalg.lstsq(base, heard, rcond=None)[0])


@pytest.mark.parametrize(("way", "late"), [("aac", 0), ("opus", 312)])
def test_a_sound_is_found_at_its_time(way: str, late: int) -> None:
    """AAC's first packet primes the decoder and lies before the sound; Opus is 6.5 ms late, and nothing says so."""
    sound = np.zeros(6 * SAMPLE_RATE, np.int16)
    click = 3 * SAMPLE_RATE
    sound[click : click + 480] = tone(480)
    cuts = cuts_of(sound)[way]
    heard = np.abs(decoded(cuts).astype(float))
    first = int(np.argmax(heard > 3000)) + cuts[0].start
    print(f"{way}: {first - START - click} samples late")
    assert abs(first - START - click - late) < 240


def test_the_last_segment_holds_what_is_left(nine_seconds: dict[str, list[Cut]]) -> None:
    for cuts in nine_seconds.values():
        end = cuts[-1].start + cuts[-1].samples
        assert 0 <= end - START - 9 * SAMPLE_RATE < 2048


def test_a_segment_costs_less_than_a_connection() -> None:
    """A connection sends the same packets of Opus with some 60 octets of headers around each of them."""
    noise = np.random.default_rng(1).normal(0, 0.1, 9 * SAMPLE_RATE)
    speech = noise * (1 + np.sin(2 * np.pi * 3 * np.arange(len(noise)) / SAMPLE_RATE))
    cuts = cuts_of((speech.clip(-1, 1) * 32767).astype(np.int16))
    octets = {way: max(len(cut.data) for cut in those) for way, those in cuts.items()}
    live = octets["opus"] + 60 * SEGMENT // FRAME
    print(f"octets of two seconds: {octets['aac']:,} AAC, {octets['opus']:,} Opus, {live:,} over a connection")
    for way, (_, most) in ENCODINGS.items():
        assert octets[way] * 8 <= most * TARGET_SECONDS, "what the playlist of playlists says"
        assert octets[way] < live


def test_a_file_is_split_after_what_a_decoder_needs() -> None:
    boxes = [(12).to_bytes(4, "big") + name + b"...." for name in (b"ftyp", b"moov", b"moof", b"mdat")]
    assert split(b"".join(boxes)) == (b"".join(boxes[:2]), b"".join(boxes[2:]))

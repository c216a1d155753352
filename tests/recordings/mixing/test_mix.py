"""The mix without database or storage: times, loudness, gaps, damage. Checked in the decoded file."""

import io
import resource
import tempfile

import numpy as np
import pytest

from recordings.mixing.decode import Piece
from recordings.mixing.loudness import measure
from recordings.mixing.mix import Mixed, mix
from rooms.media.capture import ogg
from rooms.media.capture.tap import Chunk
from tests.rig.sound.captured import captured, decoded, heard_from_to, loudest, packets, strength, tone

NEAR_MS = 100


def pieces(chunks: list[Chunk]) -> list[Piece]:
    return [piece(chunk) for chunk in chunks]


def piece(chunk: Chunk, later_ms: int = 0) -> Piece:
    return Piece(chunk.start_ms + later_ms, chunk.duration_ms, lambda: chunk.data)


def mixed(*tracks: list[Chunk]) -> tuple[Mixed, np.ndarray]:
    out = io.BytesIO()
    result = mix([pieces(track) for track in tracks], out)
    return result, decoded(out.getvalue()) if out.getvalue() else np.zeros(0, np.float32)


def assert_heard(sound: np.ndarray, hertz: float, *expected: tuple[int, int]) -> None:
    found = heard_from_to(sound, hertz)
    assert len(found) == len(expected), found
    for (start, stop), (right_start, right_stop) in zip(found, expected, strict=True):
        assert start == pytest.approx(right_start, abs=NEAR_MS)
        assert stop == pytest.approx(right_stop, abs=NEAR_MS)


def test_two_people_are_heard_at_their_right_times() -> None:
    result, sound = mixed(captured(tone(440, 7), 1500), captured(tone(1000, 6), 6000))
    assert_heard(sound, 440, (1500, 8500))
    assert_heard(sound, 1000, (6000, 12000))
    assert result.duration_ms == len(sound) // 48 == 12000


def test_the_mix_has_sixteen_lufs_and_nothing_clips() -> None:
    for level in (0.01, 0.9):
        result, sound = mixed(captured(tone(440, 7, level), 0), captured(tone(1000, 6, level), 3000))
        assert result.loudness == pytest.approx(-16, abs=0.5)
        assert measure([sound]).integrated == pytest.approx(-16, abs=0.5)
        assert loudest(sound) < 0.99


def test_twelve_loud_voices_do_not_clip() -> None:
    voices = [captured(tone(200 + 90 * number, 6, 1.0), 0) for number in range(12)]
    result, sound = mixed(*voices)
    assert measure([sound]).integrated == pytest.approx(-16, abs=0.5)
    assert loudest(sound) < 0.99
    assert result.damaged == 0


def test_peaks_are_limited_without_losing_loudness() -> None:
    """A quiet voice with a loud knock every second: the gain that it needs drives the knocks into the limiter."""
    voice = tone(300, 10, 0.01)
    for second in range(10):
        voice[second * 48000 : second * 48000 + 480] = tone(900, 0.01, 0.9)
    result, sound = mixed(captured(voice, 0))
    assert result.loudness == pytest.approx(-16, abs=0.5)
    assert measure([sound]).integrated == pytest.approx(-16, abs=0.5)
    assert loudest(sound) < 0.99


def test_a_pause_between_two_turns_stays_a_pause() -> None:
    _result, sound = mixed(captured(tone(440, 2), 0), captured(tone(440, 2), 9000))
    assert_heard(sound, 440, (0, 2000), (9000, 11000))
    assert loudest(sound[2200 * 48 : 8800 * 48]) < 0.001


def test_a_pause_within_a_turn_stays_a_pause() -> None:
    _result, sound = mixed(captured(tone(440, 1), 1000) + captured(tone(440, 1), 7000))
    assert_heard(sound, 440, (1000, 2000), (7000, 8000))


def test_a_missing_chunk_shifts_nothing() -> None:
    chunks = captured(tone(440, 20), 500)
    assert len(chunks) == 4
    _result, sound = mixed(chunks[:1] + chunks[2:])
    assert_heard(sound, 440, (500, 5500), (10500, 20500))


def test_a_chunk_that_is_gone_or_damaged_is_a_gap_and_is_counted() -> None:
    chunks = pieces(captured(tone(440, 20), 0))

    def gone() -> bytes:
        raise FileNotFoundError

    chunks[1] = Piece(chunks[1].start_ms, chunks[1].duration_ms, gone)
    chunks[3] = Piece(chunks[3].start_ms, chunks[3].duration_ms, lambda: b"OggS and no more")
    out = io.BytesIO()
    result = mix([chunks], out)
    assert result.damaged == 2
    assert result.duration_ms == 20000
    assert_heard(decoded(out.getvalue()), 440, (0, 5000), (10000, 15000))


def test_the_border_of_two_chunks_is_not_heard() -> None:
    _result, sound = mixed(captured(tone(440, 12), 0))
    levels = [strength(sound, 440, ms) for ms in range(4800, 5200, 10)]
    assert max(levels) - min(levels) < 0.02 * max(levels)


def test_a_hole_of_one_packet_is_concealed() -> None:
    writer = ogg.OggWriter({})
    for number, packet in enumerate(packets(tone(440, 2))):
        if number != 50:
            writer.write(packet, number * 960)
    data = writer.finish()
    out = io.BytesIO()
    mix([[Piece(0, 2000, lambda: data)]], out)
    hole = decoded(out.getvalue())[1002 * 48 : 1018 * 48]
    assert np.sqrt(np.mean(hole**2)) > 0.02


def test_an_overlap_is_heard_once() -> None:
    """A node came back and its clock is 30 ms off: the second chunk begins before the first is over."""
    _result, sound = mixed(captured(tone(440, 2), 0) + captured(tone(440, 2), 1970))
    levels = [strength(sound, 440, ms) for ms in range(1500, 2500, 20)]
    assert max(levels) < 1.2 * np.median(levels)
    assert_heard(sound, 440, (0, 3970))


def test_the_same_packets_twice_are_heard_once() -> None:
    once, twice = mixed(captured(tone(440, 4), 0)), mixed(captured(tone(440, 4), 0) * 2)
    assert np.allclose(once[1], twice[1], atol=1e-3)


def test_silence_stays_silence() -> None:
    result, sound = mixed(captured(tone(440, 5, 0.0), 0))
    assert result.loudness is None
    assert result.duration_ms == 5000
    assert loudest(sound) < 0.001


def test_without_tracks_there_is_no_file() -> None:
    result, sound = mixed()
    assert result == Mixed()
    assert len(sound) == 0


def test_a_whisper_alone_is_not_made_a_roar() -> None:
    result, sound = mixed(captured(tone(440, 5, 0.0005), 0))
    assert result.loudness is None or result.loudness < -20
    assert loudest(sound) < 0.3


def test_the_waveform_is_high_at_loud_moments() -> None:
    result, _sound = mixed(captured(tone(440, 2), 0), captured(tone(440, 2), 8000))
    peaks = np.array(result.waveform["data"]).reshape(-1, 2)
    assert result.waveform["length"] == len(peaks) <= 1800
    assert result.waveform["samples_per_pixel"] * len(peaks) >= 10 * 48000
    loud = (peaks[:, 1] > 10) & (peaks[:, 0] < -10)
    seconds = np.arange(len(peaks)) * result.waveform["samples_per_pixel"] / 48000
    assert loud[(seconds > 0.1) & (seconds < 1.9)].all()
    assert not loud[(seconds > 2.1) & (seconds < 7.9)].any()
    assert loud[(seconds > 8.1) & (seconds < 9.9)].all()


def test_progress_rises_to_the_end_and_may_stop_the_work() -> None:
    shares: list[float] = []
    mix([pieces(captured(tone(440, 5), 0))], io.BytesIO(), progress=shares.append)
    assert shares == sorted(shares)
    assert 0.0 <= shares[0] < shares[-1] <= 1.0

    def stop(share: float) -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        mix([pieces(captured(tone(440, 5), 0))], io.BytesIO(), progress=stop)


def long(seconds: int) -> list[Piece]:
    """One voice for so long, made of the same half minute again and again."""
    chunks = captured(tone(440, 30), 0)
    return [piece(chunk, later_ms) for later_ms in range(0, seconds * 1000, 30_000) for chunk in chunks]


def memory_of(seconds: int) -> int:
    """The most memory that this process has ever had, in kB, after a mix of that length."""
    with tempfile.TemporaryFile() as out:
        assert mix([long(seconds)], out).duration_ms == seconds * 1000
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


@pytest.mark.proof
def test_memory_does_not_grow_with_the_length() -> None:
    """Three minutes of samples alone are 34 MB."""
    assert -memory_of(30) + memory_of(210) < 15_000


@pytest.mark.proof
def test_eight_hours_need_no_more_memory_than_a_minute() -> None:
    assert -memory_of(60) + memory_of(8 * 3600) < 30_000

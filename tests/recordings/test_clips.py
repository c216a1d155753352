"""Clips for those who review: right person, right time, silence if nothing was sent. Checked in the decoded clip."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone

from recordings import clips, files
from recordings.archive import archive
from recordings.chunks import meta_of
from recordings.models import Recording
from recordings.serve import Source
from recordings.verify import verify
from rooms.media.capture import ogg
from rooms.media.capture.tap import Chunk as Captured
from rooms.media.capture.tap import Tap
from rooms.media.sound.opus import Decoder, samples_of
from rooms.media.units import FRAME, MS
from rooms.models import Participant, Space
from tests.recordings.conftest import put
from tests.rig.sound.captured import decoded, heard_from_to, loudest, packets, strength, tone


def assert_heard(data: bytes, hertz: float, *expected: tuple[int, int]) -> None:
    found = heard_from_to(decoded(data), hertz)
    assert len(found) == len(expected), found
    for (start, stop), (right_start, right_stop) in zip(found, expected, strict=True):
        assert start == pytest.approx(right_start, abs=100)
        assert stop == pytest.approx(right_stop, abs=100)


def bytes_of(source: Source) -> bytes:
    with source.open() as file:
        return file.read()


def test_time_zero_of_a_clip_is_its_start(recording: Recording, host: Participant, speak: Callable) -> None:
    speak(host, tone(440, 10), 20_000)
    assert_heard(clips.track_clip(recording, host, 18_500, 40_000), 440, (1500, 11_500))
    assert_heard(clips.track_clip(recording, host, 23_000, 40_000), 440, (0, 7000))


def test_a_clip_has_its_length_even_if_nothing_was_sent(
    recording: Recording, host: Participant, speak: Callable
) -> None:
    speak(host, tone(440, 3), 1000)
    sound = decoded(clips.track_clip(recording, host, 0, 10_000))
    assert len(sound) / 48 == pytest.approx(10_000, abs=20)
    assert loudest(sound[4200 * 48 :]) < 0.001
    assert loudest(decoded(clips.track_clip(recording, host, 60_000, 62_000))) < 0.001


def test_pauses_are_silence_of_the_same_length(recording: Recording, host: Participant, speak: Callable) -> None:
    speak(host, tone(440, 2), 1000)
    speak(host, tone(440, 2), 8013)
    clip = clips.track_clip(recording, host, 0, 12_000)
    assert_heard(clip, 440, (1000, 3000), (8013, 10_013))


def test_a_clip_is_played_by_granule_and_by_count_alike(
    recording: Recording, host: Participant, speak: Callable
) -> None:
    """Players that only count samples and players that go by granule positions show the same time."""
    speak(host, tone(440, 2), 3007)
    placed = ogg.read(clips.track_clip(recording, host, 0, 9000)).packets
    count = 0
    for packet in placed:
        assert packet.position == count
        count += packet.samples


def test_only_the_person_is_heard(
    recording: Recording, host: Participant, speaker: Participant, speak: Callable
) -> None:
    speak(host, tone(440, 5), 0)
    speak(speaker, tone(1000, 5), 2000)
    speak(None, tone(3000, 7), 0)
    assert_heard(clips.track_clip(recording, speaker, 0, 8000), 1000, (2000, 7000))
    assert_heard(clips.track_clip(recording, speaker, 0, 8000), 440)
    assert_heard(clips.mix_clip(recording, 0, 8000), 3000, (0, 7000))
    assert_heard(clips.mix_clip(recording, 0, 8000), 1000)


def test_all_turns_of_a_person_are_in_one_clip(
    recording: Recording, host: Participant, speaker: Participant, speak: Callable
) -> None:
    speak(speaker, tone(440, 2), 1000)
    speaker.step_down()
    speaker.ask_to_speak().admit(host)
    speak(speaker, tone(440, 2), 6000)
    assert recording.tracks.count() == 2
    assert_heard(clips.track_clip(recording, speaker, 0, 9000), 440, (1000, 3000), (6000, 8000))


def test_while_live_a_clip_ends_with_the_sound(recording: Recording, host: Participant, speak: Callable) -> None:
    speak(host, tone(440, 7), 0)
    assert clips.heard_until_ms(recording, host) == 7000
    assert clips.heard_until_ms(recording) == 0
    assert len(decoded(clips.track_clip(recording, host, 2000))) / 48 == pytest.approx(5000, abs=20)
    speak(host, tone(440, 3), 7000)
    assert len(decoded(clips.track_clip(recording, host, 2000))) / 48 == pytest.approx(8000, abs=20)


def test_silence_in_the_mix_is_a_gap_that_takes_its_time(recording: Recording, speak: Callable) -> None:
    speak(None, tone(3000, 2), 1000)
    speak(None, tone(3000, 2), 21_000)
    assert_heard(clips.mix_clip(recording, 0, 30_000), 3000, (1000, 3000), (21_000, 23_000))
    assert_heard(clips.mix_clip(recording, 10_000, 30_000), 3000, (11_000, 13_000))
    assert len(decoded(clips.mix_clip(recording, 0, 30_000))) / 48 == pytest.approx(30_000, abs=20)
    assert clips.heard_until_ms(recording) == 23_000


def test_a_gap_within_a_chunk_of_the_mix_takes_its_time(recording: Recording) -> None:
    chunks: list[Captured] = []
    tap = Tap(str(recording.space_id), None, None, chunks.append)
    for start_ms in (1000, 3500):
        for number, packet in enumerate(packets(tone(3000, 1))):
            place = start_ms * MS + number * FRAME
            tap.write(packet, FRAME, place, place)
    tap.close()
    (chunk,) = chunks
    put(chunk)
    recording.add_chunk(meta_of(chunk.data))
    assert_heard(clips.mix_clip(recording, 0, 6000), 3000, (1000, 2000), (3500, 4500))


def test_a_space_without_any_mix_is_silent_as_long_as_it_is_asked_for(tea: Space, recording: Recording) -> None:
    assert clips.heard_until_ms(recording) == 0
    assert loudest(decoded(clips.mix_clip(recording, 2000, 8000))) == 0
    assert len(decoded(clips.mix_clip(recording, 2000, 8000))) / 48 == pytest.approx(6000, abs=20)
    source, start_ms = clips.mix(recording, 2000)
    assert (ogg.read(bytes_of(source)).packets, start_ms) == ([], 2000)
    tea.end()
    recording.close()
    assert archive(recording)
    assert list(verify(timezone.now())) == []
    assert loudest(decoded(clips.mix_clip(recording, 0, 8000))) == 0


def test_what_is_old_enough_is_known_though_nothing_was_said(
    recording: Recording, host: Participant, speak: Callable
) -> None:
    def started(seconds_ago: float) -> None:
        recording.space.started_at = timezone.now() - timedelta(seconds=seconds_ago)

    speak(None, tone(3000, 4), 0)
    started(10)
    assert (clips.known_until_ms(recording), clips.known_until_ms(recording, host)) == (4000, 0)
    started(60)
    assert clips.known_until_ms(recording) == pytest.approx(45_000, abs=1000)
    assert clips.known_until_ms(recording, host) == pytest.approx(45_000, abs=1000)


def test_the_mix_is_what_listeners_heard_until_it_is_made(ended: Recording, speak: Callable) -> None:
    speak(None, tone(3000, 6), 0)
    source, start_ms = clips.mix(ended, 2000)
    assert start_ms == 2000
    assert_heard(bytes_of(source), 3000, (0, 4000))
    archive(ended)
    ended.refresh_from_db()
    source, start_ms = clips.mix(ended, 2000)
    assert start_ms == 0
    assert_heard(bytes_of(source), 440, (0, 6000))


def test_a_clip_has_a_longest_length(
    recording: Recording, host: Participant, speak: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clips, "LONGEST_MS", 3000)
    speak(host, tone(440, 12), 0)
    for end_ms in (None, 12_000):
        assert len(decoded(clips.track_clip(recording, host, 1000, end_ms))) / 48 == pytest.approx(3000, abs=20)


def test_a_lost_chunk_is_silence_and_shifts_nothing(recording: Recording, host: Participant, speak: Callable) -> None:
    chunks = speak(host, tone(440, 15), 0)
    files.remove(chunks[1].key)
    assert_heard(clips.track_clip(recording, host, 0, 15_000), 440, (0, 5000), (10_000, 15_000))


def test_an_overlap_is_heard_once(recording: Recording, host: Participant, speak: Callable) -> None:
    speak(host, tone(440, 3), 0)
    speak(host, tone(440, 3), 2900)
    assert_heard(clips.track_clip(recording, host, 0, 8000), 440, (0, 5900))


def test_a_start_before_the_start_is_the_start(recording: Recording, host: Participant, speak: Callable) -> None:
    speak(host, tone(440, 3), 1000)
    assert_heard(clips.track_clip(recording, host, -30_000, 5000), 440, (1000, 4000))


def test_the_same_clip_has_the_same_bytes(recording: Recording, host: Participant, speak: Callable) -> None:
    speak(host, tone(440, 6), 1000)
    first, second = (clips.track(recording, host, 0, 5000) for _ in range(2))
    assert first.etag == second.etag
    assert bytes_of(first) == bytes_of(second)


@pytest.mark.parametrize("frames", range(1, 7))
def test_silent_packets_are_silent_and_as_long_as_they_say(frames: int) -> None:
    packet = clips.silent_packet(frames)
    assert samples_of(packet) == frames * 960
    decoder = Decoder()
    decoder.decode(packet)
    assert not decoder.decode(packet).any()


def test_silence_costs_little(recording: Recording, host: Participant, speak: Callable) -> None:
    speak(host, tone(440, 1), 600_000)
    clip = clips.track_clip(recording, host, 0, 601_000)
    assert len(clip) < 300_000
    assert strength(decoded(clip), 440, 600_300) > 0.1

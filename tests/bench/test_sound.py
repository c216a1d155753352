"""Sound of the benchmarks: clicks that are found again, packets that are lost, likeness to the original."""

from collections.abc import Container
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from bench.rig.machine import Missing
from bench.rig.peers import TimedPacket
from bench.rig.sound import samples
from bench.rig.sound.clicks import EVERY, clicks, delays, moments, onsets
from bench.rig.sound.likeness import lag, likeness
from rooms.media.client.tones import encode
from rooms.media.units import FRAME, SAMPLE_RATE

TICK = 0.02


def as_received(packets: list[bytes], lost: Container[int] = ()) -> list[TimedPacket]:
    return [TimedPacket(100 + n, packet, n * TICK) for n, packet in enumerate(packets) if n not in lost]


def test_clicks_are_found_at_their_positions() -> None:
    found = onsets(clicks(3.0))
    assert len(found) == 5
    assert [after - before for before, after in pairwise(found)] == pytest.approx([EVERY] * 4, abs=2)
    assert found[0] == pytest.approx(EVERY, abs=20)


def test_no_clicks_in_silence() -> None:
    assert onsets(np.zeros(SAMPLE_RATE, np.int16)) == []


def test_the_delay_of_clicks_through_the_encoder_and_a_network_of_40_ms() -> None:
    packets = encode(clicks(4.0))
    sent = [number * TICK for number in range(len(packets))]
    found = delays(moments(packets, sent), moments(packets, [at + 0.04 for at in sent]))
    assert len(found) == 7
    assert found == pytest.approx([0.04] * 7, abs=1e-6)


def test_a_click_that_never_comes_is_left_out() -> None:
    assert delays(np.array([1.0, 1.5]), np.array([1.03])) == pytest.approx([0.03])
    assert delays(np.array([1.0]), np.array([1.6])) == []


def test_lost_packets_are_counted_and_their_time_is_filled() -> None:
    packets = encode(samples.talk(150, 2))
    heard, lost = samples.played(as_received(packets, {10, 11, 12, 50}))
    assert lost == 4
    assert len(heard) == len(packets) * FRAME


def test_packets_that_come_in_another_order_or_twice_sound_the_same() -> None:
    received = as_received(encode(samples.talk(150, 1)))
    mixed = [received[1], received[0], received[1], *received[2:]]
    assert np.array_equal(samples.played(mixed)[0], samples.played(received)[0])


def test_nothing_received_is_silence() -> None:
    heard, lost = samples.played([])
    assert (len(heard), lost) == (0, 0)
    assert likeness(samples.talk(150, 2), heard) == 0.0


@pytest.mark.parametrize("behind", [-700, 0, 5000])
def test_the_lag_of_two_sounds(behind: int) -> None:
    whole = np.random.default_rng(1).integers(-8000, 8000, 60_000).astype(np.int16)
    original, heard = whole[10_000:50_000], whole[10_000 - behind : 50_000 - behind]
    assert lag(original, heard) == behind


def test_likeness_falls_with_noise_and_not_with_delay() -> None:
    original = samples.talk(130, 4)
    late = np.concatenate((np.zeros(7_000, np.int16), original))
    noise = np.random.default_rng(2).normal(0, 6000, len(original))
    noisy = np.clip(original + noise, -32768, 32767).astype(np.int16)
    assert likeness(original, late) > 0.99
    assert likeness(original, noisy) < 0.9


def test_voices_differ_and_never_pause_together() -> None:
    both = samples.talk(110, 2).astype(np.int32) + samples.talk(133, 2)
    loudness = np.sqrt(np.mean(np.square(both.reshape(-1, FRAME), dtype=np.float64), axis=1))
    assert np.mean(loudness > 100) > 0.8


def test_if_there_is_no_speech_one_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(samples, "SPEECH", tmp_path)
    with pytest.raises(Missing, match=r"^real speech is missing: apt-get install asterisk-core-sounds-en-g722$"):
        samples.speech(1.0)

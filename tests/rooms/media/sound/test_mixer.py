"""Sums: people who talk hear the others and not themselves, and nothing is ever too loud."""

import numpy as np
import pytest

from rooms.media.client.tones import tone
from rooms.media.sound.mixer import ATTACK, CEILING, FULL_SCALE, Limiter, Mixer
from rooms.media.units import FRAME
from tests.rig.sound.measures import strength


def frames(*sounds: np.ndarray) -> list[dict[int, np.ndarray]]:
    return [
        {key: sound[start : start + FRAME] for key, sound in enumerate(sounds)}
        for start in range(0, len(sounds[0]), FRAME)
    ]


def test_listeners_hear_everyone_and_talkers_the_others() -> None:
    mixer: Mixer[int] = Mixer()
    shared, own = [], []
    for sounds in frames(tone(440.0, 0.5), tone(1000.0, 0.5)):
        shared_mix, without = mixer.mix(sounds)
        assert shared_mix is not None
        shared.append(shared_mix)
        own.append(without[0])
    assert strength(np.concatenate(shared), 440.0) == pytest.approx(0.3, rel=0.01)
    assert strength(np.concatenate(shared), 1000.0) == pytest.approx(0.3, rel=0.01)
    assert strength(np.concatenate(own), 1000.0) == pytest.approx(0.3, rel=0.01)
    assert strength(np.concatenate(own), 440.0) < 1e-4


def test_a_lone_talker_hears_exactly_nothing() -> None:
    mixer: Mixer[str] = Mixer()
    _, own = mixer.mix({"hana": tone(440.0)[:FRAME]})
    assert not own["hana"].any()


def test_without_voices_there_is_no_mix() -> None:
    mixer: Mixer[str] = Mixer()
    assert mixer.mix({}) == (None, {})


def test_twelve_voices_at_full_scale_neither_wrap_nor_clip_flat() -> None:
    voices = [tone(200.0 + 30 * number, 1.0, 1.0) for number in range(12)]
    mixer: Mixer[int] = Mixer()
    sums = [mixer.mix(sounds)[0] for sounds in frames(*voices)]
    mixed = np.concatenate([sound for sound in sums if sound is not None]).astype(int)
    total = np.sum(voices, axis=0, dtype=int)
    assert not np.any(mixed * total < 0), "wrapped"
    assert np.corrcoef(mixed[4800:], total[4800:])[0, 1] > 0.9  # turned down, not cut off or wrapped
    assert np.mean(abs(mixed) > 32700) < 0.01


@pytest.mark.parametrize("voices", [2, 12])
def test_voices_that_begin_together_at_full_scale_are_turned_down_and_keep_their_shape(voices: int) -> None:
    """The worst possible frame: all in phase, from the first sample on. For listeners and for talkers."""
    voice = np.rint(FULL_SCALE * np.cos(np.arange(FRAME) * 2 * np.pi * 200.0 / 48_000)).astype(np.int16)
    shared, own = Mixer[int]().mix(dict.fromkeys(range(voices + 1), voice))
    assert shared is not None
    for limited, count in [(shared, voices + 1), *((one, voices) for one in own.values())]:
        sound, total = limited.astype(int), voice.astype(int) * count
        assert np.array_equal(np.sign(sound), np.sign(total)), "wrapped"
        assert abs(sound).max() < FULL_SCALE
        assert np.diff(sound[:ATTACK]).all(), "cut off flat while it is turned down"
        wanted = total * CEILING / (count * FULL_SCALE)
        assert np.all(abs(sound) >= abs(wanted) - 1), "turned down by more than needed"
        assert abs(sound[ATTACK:] - wanted[ATTACK:]).max() <= 1, "flattened, once there was time to turn it down"


@pytest.mark.parametrize(("loudest", "step"), [(40_000, 500), (12 * 32_500, 10_000)])
def test_what_there_is_no_time_to_turn_down_is_bent_and_not_cut_off(loudest: int, step: int) -> None:
    """The louder the sum of the first sample of all, the louder what is heard, and below full scale."""
    sums = range(-loudest, loudest + 1, step)
    heard = [int(Limiter().limit(np.full(FRAME, total, np.int32))[0]) for total in sums]
    assert np.diff(heard).min() > 0
    assert max(map(abs, heard)) < FULL_SCALE


def test_soft_sums_are_left_as_they_are() -> None:
    sound = tone(440.0)[:FRAME].astype(np.int32)
    assert np.array_equal(Limiter().limit(sound), sound)


def test_the_gain_comes_back_after_a_loud_moment() -> None:
    limiter = Limiter()
    limiter.limit(tone(440.0, 0.02, 1.0).astype(np.int32) * 4)
    soft = tone(440.0)[:FRAME].astype(np.int32)
    assert abs(limiter.limit(soft)).max() < abs(soft).max() / 3
    for _ in range(100):
        last = limiter.limit(soft)
    assert np.array_equal(last, soft)


def test_the_gain_moves_without_a_step() -> None:
    limiter = Limiter()
    loud = tone(440.0, 0.04, 1.0).astype(np.int32) * 2
    first, second = limiter.limit(loud[:FRAME]), limiter.limit(loud[FRAME:])
    whole = np.concatenate((first, second)).astype(int)
    steepest = 2 * np.pi * 440.0 / 48_000 * CEILING
    assert abs(np.diff(whole[200:])).max() < 1.5 * steepest

"""Loudness: soft and loud voices meet, pauses and noise change nothing, nothing clicks."""

import numpy as np
import pytest

from rooms.media.client.tones import tone
from rooms.media.sound.leveller import AIM_RMS, MOST, Leveller
from rooms.media.sound.opus import Pcm
from rooms.media.units import FRAME


def levelled(leveller: Leveller, sound: Pcm) -> Pcm:
    frames = sound[: len(sound) // FRAME * FRAME].reshape(-1, FRAME)
    return np.concatenate([leveller.level(frame, float(np.mean(frame.astype(float) ** 2))) for frame in frames])


def rms(sound: Pcm) -> float:
    return float(np.sqrt(np.mean(sound.astype(float) ** 2)))


@pytest.mark.parametrize("amplitude", [0.05, 0.1, 0.2, 0.3])
def test_voices_meet_at_the_same_loudness(amplitude: float) -> None:
    heard = levelled(Leveller(), tone(440.0, 20.0, amplitude))
    assert rms(heard[-48_000:]) == pytest.approx(AIM_RMS, rel=0.05)


@pytest.mark.parametrize(("amplitude", "gain"), [(0.01, MOST), (0.95, 1 / MOST)])
def test_the_gain_has_its_bounds(amplitude: float, gain: float) -> None:
    leveller = Leveller()
    levelled(leveller, tone(440.0, 20.0, amplitude))
    assert leveller.gain == pytest.approx(gain)


def test_a_shout_after_a_whisper_does_not_wrap() -> None:
    leveller = Leveller()
    levelled(leveller, tone(440.0, 20.0, 0.01))
    shout = tone(440.0, 0.1, 0.9)
    heard = levelled(leveller, shout)
    assert abs(heard.astype(int)).max() >= 32767, "three times of what there is room for"
    assert np.array_equal(np.sign(heard), np.sign(shout))


def test_it_goes_slowly() -> None:
    leveller = Leveller()
    levelled(leveller, tone(440.0, 1.0, 0.02))
    assert 20 * np.log10(leveller.gain) == pytest.approx(1.5, abs=0.1)


def test_pauses_and_noise_between_words_are_not_raised() -> None:
    leveller = Leveller()
    levelled(leveller, tone(440.0, 20.0, 0.1))
    before = leveller.gain
    levelled(leveller, tone(440.0, 20.0, 0.002))
    assert leveller.gain == before


def test_nothing_clicks_while_the_gain_moves() -> None:
    """No step between two samples is greater than those of the tone itself, at the gain that there is at most."""
    sound = tone(440.0, 10.0, 0.02)
    leveller = Leveller()
    heard = levelled(leveller, sound)
    steepest = np.abs(np.diff(sound.astype(float))).max() * leveller.gain
    assert np.abs(np.diff(heard.astype(float))).max() <= steepest + 2

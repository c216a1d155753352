"""What listeners report decides how the encoder prepares for loss."""

import numpy as np
import pytest

from rooms.media.client.tones import tone
from rooms.media.sound.adaptation import CALM_REPORTS, STEPS, AdaptiveEncoder
from rooms.media.sound.opus import Decoder, Pcm
from rooms.media.units import FRAME, SAMPLE_RATE
from tests.rig.sound.measures import strength


@pytest.mark.parametrize(
    ("losses", "step"),
    [([], 0), ([0.0], 0), ([0.02], 1), ([0.05], 2), ([0.3], 3), ([0.0] * 19 + [0.5], 0), ([0.0] * 8 + [0.05, 0.05], 2)],
)
def test_the_step_follows_the_loss_of_most(losses: list[float], step: int) -> None:
    encoder = AdaptiveEncoder()
    encoder.follow(losses)
    assert encoder.step == step


def test_it_comes_down_step_by_step_once_all_is_calm() -> None:
    encoder = AdaptiveEncoder()
    encoder.follow([0.3])
    steps = []
    for _ in range(3 * CALM_REPORTS):
        encoder.follow([0.0])
        steps.append(encoder.step)
    assert steps[CALM_REPORTS - 2 :: CALM_REPORTS] == [3, 2, 1]
    assert steps[CALM_REPORTS - 1 :: CALM_REPORTS] == [2, 1, 0]


def test_one_more_loss_restarts_the_calm() -> None:
    encoder = AdaptiveEncoder()
    for losses in ([0.3], *[[0.0]] * (CALM_REPORTS - 1), [0.3], *[[0.0]] * (CALM_REPORTS - 1)):
        encoder.follow(losses)
    assert encoder.step == len(STEPS) - 1


@pytest.mark.parametrize("loss", [0.0, 0.05, 0.3])
def test_the_bit_rate_is_that_of_the_step(loss: float) -> None:
    """Of noise that swells and fades as a voice does, in bit/s over ten seconds."""
    encoder, seconds = AdaptiveEncoder(), 10
    encoder.follow([loss])
    noise = np.random.default_rng(1).normal(0, 3000, seconds * SAMPLE_RATE)
    swelling = (noise * (1 + np.sin(np.arange(len(noise)) * 2 * np.pi * 3 / SAMPLE_RATE)) / 2).astype(np.int16)
    octets = sum(len(encoder.encode(frame)) for frame in swelling.reshape(-1, FRAME))
    assert octets * 8 / seconds == pytest.approx(STEPS[encoder.step][2], rel=0.15)


def _recovered(encoder: AdaptiveEncoder, sound: Pcm) -> float:
    """Lose every fifth packet, recover it from the next one; the strength of the tone in the gaps."""
    packets = [encoder.encode(sound[at : at + FRAME]) for at in range(0, len(sound) - FRAME + 1, FRAME)]
    decoder, gaps = Decoder(), []
    for number, packet in enumerate(packets[:-1]):
        if number % 5 == 4 and number > 20:
            gaps.append(decoder.recover(packets[number + 1]))
        else:
            decoder.decode(packet)
    return strength(np.concatenate(gaps), 300.0)


def test_what_is_prepared_for_is_recovered_from_the_next_packet() -> None:
    """A voice that jumps between two pitches: concealment alone goes on with the wrong one."""
    low, high = tone(300.0, 0.1, 0.3), tone(700.0, 0.1, 0.3)
    frames = [(low if number % 5 == 4 else high)[:FRAME] for number in range(200)]
    prepared = AdaptiveEncoder()
    prepared.follow([0.2])
    assert _recovered(prepared, np.concatenate(frames)) > 3 * _recovered(AdaptiveEncoder(), np.concatenate(frames))

"""A change of the stream is not audible: no click, no echo of one's own voice, no jump."""

from collections.abc import Callable

import numpy as np
import pytest

from rooms.media.client.peer import Client
from rooms.media.client.tones import encode, tone, tone_packets
from rooms.media.sound.opus import SILENT_PACKET, Pcm
from rooms.media.sound.voice import Voice
from rooms.media.units import FRAME, SAMPLE_RATE
from tests.rig.sound.measures import strength
from tests.rooms.media.conftest import World

STEADY, COMES_AND_GOES = 440.0, 1000.0
MOMENT = SAMPLE_RATE // 200  # 5 ms
HIGH = 5000.0  # Hz; a click is heard above the tones
CLICK = -27  # dB; a sound that begins within 5 ms has -31 to -37, one that is cut off -20
AROUND = range(-3, 12)  # ticks before and after a change


def crackle(pcm: Pcm) -> float:
    """How much there is above `HIGH` in the worst moment, in dB of the loudest one."""
    moments = pcm[: len(pcm) // MOMENT * MOMENT].reshape(-1, MOMENT) * np.hanning(MOMENT)
    spectra = np.abs(np.fft.rfft(moments))
    high = spectra[:, round(HIGH * MOMENT / SAMPLE_RATE) :].sum(axis=1)
    return float(20 * np.log10(high.max() / spectra.sum(axis=1).max()))


def ticks(client: Client, tick: int) -> list[Pcm]:
    """What was heard around this tick, 20 ms each."""
    pcm = client.received.pcm()
    return [pcm[(tick + n) * FRAME : (tick + n + 1) * FRAME] for n in AROUND]


class Changes:
    """hana talks all the time, sol now and then, lior listens. Notes when sol starts and stops."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.at: list[int] = []

    async def begin(self, packets: tuple[bytes, ...]) -> "Changes":
        self.world.stand("hana", "sol")
        hana, self.sol, self.lior = [await self.world.join(name) for name in ("hana", "sol", "lior")]
        hana.speak(encode(tone(STEADY, 20.0)))
        self.sol.speak(packets)
        self.world.run(4.0)  # until both are levelled
        return self

    def change(self, how: Callable[[], object], seconds: float) -> None:
        self.at.append(self.sol.received.packets)
        how()
        self.world.run(seconds)

    def check(self) -> None:
        """Check that the other voices continue without clicks, as loud as before, and that sol never hears sol."""
        for tick in self.at:
            heard = ticks(self.sol, tick)
            loudness = [strength(piece, STEADY) for piece in heard]
            usual = np.median(loudness)
            own = max(strength(piece, COMES_AND_GOES) for piece in heard)
            worst = max(crackle(np.concatenate(ticks(client, tick))) for client in (self.sol, self.lior))
            print(f"{tick}: {min(loudness) / usual:.2f} to {max(loudness) / usual:.2f}, {own:.4f}, {worst:.0f} dB")
            assert 0.8 * usual < min(loudness)
            assert max(loudness) < 1.25 * usual
            assert own < 0.002
            assert worst < CLICK


TALK = tuple(encode(tone(COMES_AND_GOES, 20.0)))


async def test_a_person_who_begins_to_talk_and_stops_hears_the_others_go_on(world: World) -> None:
    """From the shared stream to sol's own and, after a moment of silence, back."""
    changes = await Changes(world).begin((SILENT_PACKET,))
    for _ in range(4):
        changes.change(lambda: changes.sol.speak(TALK), 1.0)
        changes.change(lambda: changes.sol.speak((SILENT_PACKET,)), 0.3)
        changes.change(lambda: None, 0.7)  # in which sol's own stream ends
    changes.check()


async def test_mute_in_the_middle_of_a_word_and_back(world: World) -> None:
    changes = await Changes(world).begin(TALK)
    for _ in range(4):
        changes.change(lambda: world.stand("hana", "sol", muted=("sol",)), 0.5)
        changes.change(lambda: world.stand("hana", "sol"), 0.7)
    changes.check()


async def test_leaving_the_stage_in_the_middle_of_a_word_and_coming_back(world: World) -> None:
    changes = await Changes(world).begin(TALK)
    for _ in range(4):
        changes.change(lambda: world.stand("hana"), 0.5)
        changes.change(lambda: world.stand("hana", "sol"), 0.7)
    changes.check()


async def test_talking_together_after_talking_alone(world: World) -> None:
    """A person who talked alone heard silence. The other voice comes in without a click."""
    world.stand("hana", "sol")
    hana, sol, lior = [await world.join(name) for name in ("hana", "sol", "lior")]
    sol.speak(TALK)
    world.run(1.5)
    hana.speak(encode(tone(STEADY, 2.0)))
    world.run(0.5)
    assert max(crackle(client.received.pcm(0.6)) for client in (sol, lior)) < CLICK
    assert strength(sol.received.pcm(0.2), STEADY) > 0.05
    assert strength(sol.received.pcm(0.2), COMES_AND_GOES) < 0.002


@pytest.mark.parametrize("ppm", [300, -300])
def test_a_clock_that_is_off_is_followed_without_clicks(ppm: int) -> None:
    """Three minutes of a tone from a microphone whose clock is 54 ms off by then."""
    voice, heard, sent = Voice(), [], 0
    packets = encode(tone(STEADY, 20.0))  # 8,800 periods: it repeats without a seam, but for the encoder's memory
    joint, settled = len(packets), 50 * 10  # until it is levelled
    for number in range(50 * 180):
        now = 10.0 + number * 0.02
        while 10.0 + sent * 0.02 * (1 - ppm / 1e6) <= now:
            voice.jitter.insert(sent & 0xFFFF, sent * FRAME, packets[sent % joint], now)
            sent += 1
        sound = voice.pull(now + 0.001)
        if sound is not None and number > settled and number % joint > 60:
            heard.append(sound)
    whole = np.concatenate(heard)
    loudness = [strength(whole[at : at + FRAME], STEADY) for at in range(0, len(whole), FRAME)]
    print(f"{crackle(whole):.0f} dB, {min(loudness):.3f} to {max(loudness):.3f}")
    assert len(whole) / FRAME > 50 * 180 - settled - 9 * 61
    assert crackle(whole) < CLICK
    assert min(loudness) > 0.9 * max(loudness)
    assert voice.jitter.concealed == voice.jitter.lost == voice.jitter.late == 0


def test_a_voice_that_is_cut_off_fades_from_its_last_level() -> None:
    voice = Voice()
    packets, heard = tone_packets(COMES_AND_GOES, 2.0), []
    for number, packet in enumerate(packets):
        voice.jitter.insert(number, number * FRAME, packet, 10.0 + number * 0.02)
        sound = voice.pull(10.001 + number * 0.02)
        heard += [sound] if sound is not None else []
    last = voice.fade_out()
    assert last is not None
    assert np.abs(last[:MOMENT]).max() > 0.5 * np.abs(heard[-1]).max()
    assert not last[MOMENT:].any()
    assert crackle(np.concatenate((*heard[-10:], last[:MOMENT]))) < CLICK
    assert voice.fade_out() is None

"""One voice: gate, level, fades, playing a little faster."""

from collections.abc import Collection

import numpy as np
import pytest

from rooms.media.client.tones import encode, tone, tone_packets
from rooms.media.sound.opus import SILENT_PACKET, Encoder, Repacketizer
from rooms.media.sound.voice import HANGOVER, Voice, resampled, rms
from rooms.media.units import FRAME
from tests.rig.sound.measures import loudest_frequency


def spoken(
    voice: Voice, packets: list[bytes], start: int = 0, ticks: int | None = None, lost: Collection[int] = ()
) -> list[np.ndarray | None]:
    """Let packets arrive one per tick, but for the `lost` ones, and return what is pulled."""
    heard = []
    for number in range(start, start + (ticks or len(packets))):
        now = 10.0 + number * 0.02
        if number - start < len(packets) and number not in lost:
            voice.jitter.insert(number, number * FRAME, packets[number - start], now)
        heard.append(voice.pull(now + 0.001))
    return heard


def test_a_tone_is_heard_whole() -> None:
    heard = [sound for sound in spoken(Voice(), list(tone_packets(440.0))) if sound is not None]
    assert len(heard) >= 47
    assert abs(loudest_frequency(np.concatenate(heard)) - 440.0) < 2


def test_silence_and_near_silence_are_not_mixed() -> None:
    assert spoken(Voice(), [SILENT_PACKET] * 30) == [None] * 30
    assert spoken(Voice(), encode(tone(440.0, 0.6, 0.0003))) == [None] * 30


def test_a_voice_stays_in_the_mix_for_a_moment_after_its_last_sound() -> None:
    heard = spoken(Voice(), [*tone_packets(440.0)[:25], *[SILENT_PACKET] * 40])
    audible = [number for number, sound in enumerate(heard) if sound is not None]
    assert audible == list(range(audible[0], audible[-1] + 1))
    assert audible[-1] == pytest.approx(26 + HANGOVER, abs=3)


def test_a_voice_begins_softly() -> None:
    heard = [sound for sound in spoken(Voice(), list(tone_packets(440.0))) if sound is not None]
    assert abs(heard[0][:5]).max() < 400


@pytest.mark.parametrize(("amplitude", "level"), [(1.0, 95), (0.1, 61), (0.01, 28)])
def test_level_follows_the_loudness(amplitude: float, level: int) -> None:
    voice = Voice()
    spoken(voice, list(tone_packets(440.0, 1.0, amplitude))[:25])
    voice.level()
    spoken(voice, list(tone_packets(440.0, 1.0, amplitude))[25:], 25)
    assert voice.level() == pytest.approx(level, abs=4)
    assert voice.level() == 0  # nothing since


def test_a_damaged_packet_is_silence_and_counted() -> None:
    voice = Voice()
    good = list(tone_packets(440.0))
    damaged = [*good[:10], b"\x7b\x02\x01", *good[11:]]  # two frames of equal size in one octet
    heard = spoken(voice, damaged)
    assert voice.jitter.malformed == 1
    assert heard[-1] is not None


def test_a_stream_that_breaks_off_fades_away_without_a_step() -> None:
    heard = [sound for sound in spoken(Voice(), list(tone_packets(440.0)), ticks=70) if sound is not None]
    whole = np.concatenate(heard).astype(int)
    assert abs(np.diff(whole)).max() < 1.5 * 2 * np.pi * 440.0 / 48_000 * 0.3 * 32767
    assert not whole[-FRAME:].any()


def _off_in_the_gaps(expected_loss: int) -> tuple[float, Voice]:
    """How far the sound in the gaps is off, as a share of what was said, and the voice.

    Every fifth packet is lost where the voice jumps in pitch, so that concealment goes on with the wrong one.
    """
    low, high = tone(300.0, 0.1)[:FRAME], tone(700.0, 0.1)[:FRAME]
    encoder = Encoder(expected_loss=expected_loss)
    packets = [encoder.encode(low if number % 5 == 4 else high) for number in range(100)]
    lost, voice = range(14, 95, 5), Voice()
    heard, whole = spoken(voice, packets, lost=lost), spoken(Voice(), packets)
    delay = next(number for number, sound in enumerate(whole) if sound is not None)
    pairs = [(heard[number + delay], whole[number + delay]) for number in lost]
    off = [rms(gap.astype(float) - said) / rms(said) for gap, said in pairs if gap is not None and said is not None]
    assert len(off) == len(lost)
    return max(off), voice


def test_what_is_lost_is_recovered_from_the_packet_behind_it() -> None:
    (recovered, voice), (invented, _) = _off_in_the_gaps(20), _off_in_the_gaps(0)
    print(f"off by at most {recovered:.2f} with copies in the packets, {invented:.2f} without")
    assert voice.jitter.lost == voice.jitter.concealed == 17
    assert recovered < 0.3 * invented


def test_packets_are_handed_out_once_and_in_order() -> None:
    kept = []
    voice = Voice(lambda piece, arrived: kept.append((piece.timestamp, piece.payload)))
    spoken(voice, list(tone_packets(440.0)))
    assert kept == [(number * FRAME, tone_packets(440.0)[number]) for number in range(len(kept))]


def test_long_packets_are_played_at_their_pace() -> None:
    sound = tone(440.0)
    from_sixty = _encoded(sound, 3 * FRAME)
    voice, heard = Voice(), []
    for number in range(48):
        now = 10.0 + number * 0.02
        if number % 3 == 0:
            voice.jitter.insert(number // 3, number * FRAME, from_sixty[number // 3], now)
        heard.append(voice.pull(now + 0.001))
    whole = np.concatenate([sound for sound in heard if sound is not None])
    assert abs(loudest_frequency(whole) - 440.0) < 2
    assert voice.jitter.lost == 0


def _encoded(sound: np.ndarray, length: int) -> list[bytes]:
    encoder = Encoder()
    return [encoder.encode(sound[start : start + length]) for start in range(0, len(sound) - length + 1, length)]


@pytest.mark.parametrize("length", [944, 960, 976])
def test_resampling_keeps_the_sound(length: int) -> None:
    sound = tone(440.0)[:length]
    played = resampled(sound, FRAME)
    assert len(played) == FRAME
    assert rms(played) == pytest.approx(rms(sound), rel=0.01)


def test_packets_that_say_that_they_overlap_make_no_tick_long() -> None:
    """Of 120 ms each, soft, a sample apart: to decode them all takes longer than there is time."""
    long = _encoded(tone(440.0, 0.24, 0.001), 3 * FRAME)[-1]
    payload = Repacketizer().join([long, long])
    voice, decoded = Voice(), []
    for number in range(200):
        now = 10.0 + number * 0.02
        for part in range(4):
            voice.jitter.insert(4 * number + part, 4 * number + part, payload, now)
        before = voice.jitter.late + len(voice.jitter._held)
        voice.pull(now + 0.001)
        decoded.append(before - voice.jitter.late - len(voice.jitter._held))
    print(f"at the most {max(decoded)} decoded in a tick")
    assert max(decoded) <= 2


def test_a_packet_inside_of_the_one_before_is_late() -> None:
    voice = Voice()
    voice.jitter.insert(0, 0, _encoded(tone(440.0), 3 * FRAME)[0], 10.0)
    voice.jitter.insert(1, FRAME, tone_packets(440.0)[0], 10.0)
    for number in range(5):
        voice.pull(10.001 + number * 0.02)
    assert (voice.jitter.late, voice.jitter.received, voice.jitter.lost) == (1, 2, 0)

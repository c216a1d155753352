"""libopus: what is encoded is heard, what is lost is concealed or recovered."""

import numpy as np
import pytest

from rooms.media.client.tones import encode, tone
from rooms.media.sound.opus import (
    FRAME,
    MAX_PAYLOAD,
    SILENT_PACKET,
    Decoder,
    Encoder,
    OpusError,
    Repacketizer,
    samples_of,
)
from rooms.media.sound.voice import rms
from tests.rig.sound.measures import loudest_frequency, strength


def decoded(packets: list[bytes]) -> np.ndarray:
    decoder = Decoder()
    return np.concatenate([decoder.decode(packet) for packet in packets])


def test_a_tone_survives() -> None:
    sound = decoded(encode(tone(440.0)))
    assert len(sound) == 48_000
    assert abs(loudest_frequency(sound[4800:]) - 440.0) < 2
    assert strength(sound[4800:], 440.0) == pytest.approx(0.3, rel=0.1)


def test_silent_packet_is_short_and_silent() -> None:
    assert len(SILENT_PACKET) == 3
    assert samples_of(SILENT_PACKET) == FRAME
    assert not decoded([SILENT_PACKET] * 3).any()


def test_silence_after_a_tone_is_silence() -> None:
    assert rms(decoded([*encode(tone(440.0)), *[SILENT_PACKET] * 5])[-2 * FRAME :]) == 0


@pytest.mark.parametrize(
    ("milliseconds", "samples"), [(2.5, 120), (5, 240), (10, 480), (20, 960), (40, 1920), (60, 2880)]
)
def test_length_is_read_from_the_first_octets(milliseconds: float, samples: int) -> None:
    packet = Encoder().encode(tone(440.0, milliseconds / 1000))
    assert samples_of(packet) == samples == len(Decoder().decode(packet))


@pytest.mark.parametrize("packet", [b"", b"\xff", b"\xff\x3f", b"\x1f\x10"])
def test_malformed_packets_have_no_length(packet: bytes) -> None:
    assert samples_of(packet) == 0


@pytest.mark.parametrize("packet", [b"\xff", b"\x03\x00", b"\x7b\xff\x01"])
def test_malformed_packets_are_refused(packet: bytes) -> None:
    with pytest.raises(OpusError):
        Decoder().decode(packet)


def test_a_lost_packet_is_concealed_with_about_its_energy() -> None:
    packets, decoder = encode(tone(440.0)), Decoder()
    sound = [decoder.decode(packet) for packet in packets[:30]]
    invented = decoder.conceal()
    assert len(invented) == FRAME
    assert rms(invented) == pytest.approx(rms(sound[-1]), rel=0.5)


def test_forward_error_correction_brings_a_lost_packet_back() -> None:
    """Of a pitch that glides: of a steady tone the encoder makes no copies, and concealment gives the same."""
    moments = np.arange(48_000) / 48_000
    gliding = np.rint(8000 * np.sin(2 * np.pi * (200.0 * moments + 150.0 * moments**2))).astype(np.int16)
    encoder, decoder, without = Encoder(32_000, expected_loss=20), Decoder(), Decoder()
    packets = [encoder.encode(frame) for frame in gliding.reshape(-1, FRAME)]
    original = decoded(packets)[40 * FRAME : 41 * FRAME].astype(float)
    for packet in packets[:40]:
        decoder.decode(packet)
        without.decode(packet)
    recovered, invented = rms(decoder.recover(packets[41]) - original), rms(without.conceal() - original)
    print(f"off by {recovered:.0f} recovered, by {invented:.0f} invented, of {rms(original):.0f}")
    assert recovered < 0.2 * invented


def test_three_packets_are_joined_without_encoding_again() -> None:
    packets = encode(tone(440.0))[10:13]
    joined = Repacketizer().join(packets)
    assert samples_of(joined) == 3 * FRAME
    assert len(joined) <= sum(map(len, packets)) + 6
    assert np.array_equal(Decoder().decode(joined), decoded(packets))


def test_packets_of_different_kinds_are_not_joined() -> None:
    with pytest.raises(OpusError):
        Repacketizer().join([SILENT_PACKET, encode(tone(440.0))[10]])


def test_noise_never_exceeds_the_largest_payload() -> None:
    noise = np.random.default_rng(1).integers(-32768, 32767, 48_000).astype(np.int16)
    assert max(map(len, encode(noise, bitrate=510_000))) <= MAX_PAYLOAD

"""Chunks: what goes in comes out, at its place in time, gaps included."""

import io

import av
import numpy as np
import pytest

from rooms.media.capture import ogg
from rooms.media.capture.tap import CHUNK_MS, Chunk, Tap, chunk_from
from rooms.media.client.tones import tone_packets
from rooms.media.sound.opus import MAX_PAYLOAD, Decoder, samples_of
from rooms.media.units import FRAME, MS
from tests.rig.sound.measures import loudest_frequency

PACKETS = tone_packets(440.0)
SECOND = 48_000


class Track:
    """A tap and what it ships; `speak` gives it packets as the clock would."""

    def __init__(self) -> None:
        self.chunks: list[Chunk] = []
        self.tap = Tap("space", "turn", "hana", self.chunks.append)

    def speak(self, count: int, timestamp: int, position: int) -> None:
        for number in range(count):
            offset = number * FRAME
            self.tap.write(PACKETS[number % 50], FRAME, timestamp + offset, position + offset)

    def places(self) -> list[int]:
        """Room time in ms of every packet shipped."""
        return [
            chunk.start_ms + packet.position // MS for chunk in self.chunks for packet in ogg.read(chunk.data).packets
        ]


@pytest.fixture
def track() -> Track:
    return Track()


def test_round_trip_with_a_gap(track: Track) -> None:
    track.speak(50, 7777, 2 * SECOND)
    track.speak(50, 7777 + 2 * SECOND, 4 * SECOND)
    track.tap.close()
    (chunk,) = track.chunks
    assert (chunk.start_ms, chunk.duration_ms) == (2000, 3000)
    assert chunk.key == "space/turn/0000002000.opus"
    content = ogg.read(chunk.data)
    assert [packet.payload for packet in content.packets] == [*PACKETS, *PACKETS]
    assert [packet.position for packet in content.packets[49:51]] == [49 * FRAME, 2 * SECOND]
    assert content.tags == {"SPACE": "space", "TURN": "turn", "PARTICIPANT": "hana", "START_MS": "2000"}
    assert chunk_from(chunk.data) == chunk


def test_chunks_are_at_most_five_seconds_and_follow_one_another(track: Track) -> None:
    track.speak(700, 0, 0)
    track.tap.close()
    assert [chunk.start_ms for chunk in track.chunks] == [0, 5000, 10_000]
    assert [chunk.duration_ms for chunk in track.chunks] == [5000, 5000, 4000]
    assert track.places() == list(range(0, 14_000, 20))


def test_within_a_chunk_packets_are_placed_by_rtp_time(track: Track) -> None:
    for number in range(10):
        track.tap.write(PACKETS[number], FRAME, number * FRAME, number * FRAME + (number % 3) * 10 * MS)
    track.tap.close()
    assert track.places() == list(range(0, 200, 20))


def test_drift_is_made_up_for_at_the_start_of_a_chunk_and_not_before(track: Track) -> None:
    for number in range(600):  # a clock that is off by 2 %
        track.tap.write(PACKETS[number % 50], FRAME, number * FRAME, round(number * FRAME * 1.02))
    track.tap.close()
    starts = [chunk.start_ms for chunk in track.chunks]
    assert starts[0] == 0
    assert starts[1] == pytest.approx(5100, abs=1)
    for chunk in track.chunks:
        places = [packet.position for packet in ogg.read(chunk.data).packets]
        assert set(np.diff(places)) == {FRAME}


def test_small_drift_is_left_alone(track: Track) -> None:
    for number in range(600):  # 300 ppm: 3.6 ms in 12 s
        track.tap.write(PACKETS[number % 50], FRAME, number * FRAME, round(number * FRAME * 1.0003))
    track.tap.close()
    assert track.places() == list(range(0, 12_000, 20))


def test_a_restarted_stream_begins_a_chunk(track: Track) -> None:
    track.speak(50, 1_000_000, 0)
    track.speak(50, 5, SECOND)
    track.tap.close()
    assert [chunk.start_ms for chunk in track.chunks] == [0, 1000]
    assert track.places() == list(range(0, 2000, 20))


def test_time_never_goes_back(track: Track) -> None:
    track.speak(300, 0, 0)
    track.speak(50, 0, 4 * SECOND)  # the stream of a second connection, as if it had been there before
    track.tap.close()
    places = track.places()
    assert places == sorted(set(places))


def test_a_chunk_closes_even_if_no_packets_come(track: Track) -> None:
    track.speak(10, 0, 0)
    track.tap.tick((CHUNK_MS - 1) * MS)
    assert track.chunks == []
    track.tap.tick(CHUNK_MS * MS)
    assert track.chunks[0].duration_ms == 200
    track.tap.close()
    assert len(track.chunks) == 1


def test_the_mix_has_a_key_of_its_own(track: Track) -> None:
    mix = Tap("space", None, None, track.chunks.append)
    mix.write(PACKETS[0], FRAME, 0, 0)
    mix.close()
    assert track.chunks[0].key == "space/mix/0000000000.opus"
    assert chunk_from(track.chunks[0].data).turn is None


def test_other_programs_read_it(track: Track) -> None:
    track.speak(50, 0, 0)
    track.speak(50, 2 * SECOND, 2 * SECOND)
    track.tap.close()
    with av.open(io.BytesIO(track.chunks[0].data), "r", format="ogg") as container:
        packets = [packet for packet in container.demux(audio=0) if packet.size]
        times = [float((packet.pts or 0) * packet.time_base) for packet in packets]
        assert container.streams.audio[0].metadata["SPACE"] == "space"
    assert len(packets) == 100
    assert times[0] == pytest.approx(0.0)
    assert times[51] == pytest.approx(2.02)  # FFmpeg sees a gap one packet late


def test_the_sound_comes_back(track: Track) -> None:
    track.speak(50, 0, 0)
    track.tap.close()
    decoder = Decoder()
    sound = np.concatenate([decoder.decode(packet.payload) for packet in ogg.read(track.chunks[0].data).packets])
    assert abs(loudest_frequency(sound) - 440.0) < 2


def test_packets_of_every_size_fit_in_a_page() -> None:
    writer, position = ogg.OggWriter({}), 0
    payloads = [b"\x78" + bytes(size - 1) for size in (1, 254, 255, 256, 510, MAX_PAYLOAD)]
    for payload in payloads:
        writer.write(payload, position)
        position += samples_of(payload)
    assert [packet.payload for packet in ogg.read(writer.finish()).packets] == payloads


@pytest.mark.parametrize("cut", [1, 20, 100])
def test_a_file_cut_off_is_refused(track: Track, cut: int) -> None:
    track.speak(10, 0, 0)
    track.tap.close()
    with pytest.raises(ogg.OggError):
        ogg.read(track.chunks[0].data[:-cut])


def test_a_damaged_file_is_refused(track: Track) -> None:
    track.speak(10, 0, 0)
    track.tap.close()
    data = bytearray(track.chunks[0].data)
    data[len(data) // 2] ^= 1
    with pytest.raises(ogg.OggError):
        ogg.read(bytes(data))


@pytest.mark.parametrize("data", [b"", b"OggS", bytes(200), b"RIFF" + bytes(100)])
def test_something_else_is_refused(data: bytes) -> None:
    with pytest.raises(ogg.OggError):
        chunk_from(data)


def test_a_file_without_tags_is_no_chunk() -> None:
    with pytest.raises(ogg.OggError, match="tags"):
        chunk_from(ogg.OggWriter({}).finish())

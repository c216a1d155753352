"""The jitter buffer, its clock in the test's hand: order, loss, wrap, DTX, depth, drift."""

import random

import pytest

from rooms.media.client.tones import encode, tone
from rooms.media.sound.jitter import IDLE, JitterBuffer, Kind, Piece
from rooms.media.sound.opus import SILENT_PACKET
from rooms.media.units import FRAME, MS, SAMPLE_RATE

PACKETS = encode(tone(440.0))
PACKETS_OF = {480: b"\xf0\xff\xfe", FRAME: SILENT_PACKET, 3 * FRAME: b"\xfb\x03" + SILENT_PACKET[1:] * 3}
TICK = 0.02


class Line:
    """A speaker, a network and a clock that pulls."""

    def __init__(self, sequence: int = 100, timestamp: int = 5000) -> None:
        self.buffer = JitterBuffer()
        self.sequence, self.timestamp = sequence, timestamp
        self.now = 50.0
        self.buffered = 0
        self.pieces: list[Piece] = []

    def arrive(self, number: int, now: float | None = None, payload: bytes | None = None) -> bool:
        """Deliver packet `number` of the stream."""
        sequence = (self.sequence + number) & 0xFFFF
        timestamp = (self.timestamp + number * FRAME) & 0xFFFFFFFF
        return self.buffer.insert(sequence, timestamp, payload or PACKETS[number % 50], now or self.now)

    def pull(self, ticks: int = 1) -> list[Piece]:
        """Pull the sound of these ticks, as a voice does."""
        taken: list[Piece] = []
        for _ in range(ticks):
            wanted = FRAME + self.buffer.stretch(self.now, self.buffered)
            while self.buffered < wanted:
                piece = self.buffer.next()
                self.buffered += piece.samples
                taken.append(piece)
            self.buffered -= wanted
            self.now += TICK
        self.pieces += taken
        return taken


def kinds(pieces: list[Piece]) -> list[Kind]:
    return [piece.kind for piece in pieces]


def payloads(pieces: list[Piece]) -> list[bytes]:
    return [piece.payload for piece in pieces if piece.kind is Kind.PACKET]


def test_packets_come_out_in_order_after_the_first_depth() -> None:
    line = Line()
    for number in range(20):
        line.arrive(number)
        line.pull()
    assert payloads(line.pieces) == PACKETS[: len(payloads(line.pieces))]
    assert line.buffer.concealed == line.buffer.lost == line.buffer.late == 0
    assert sum(piece.samples for piece in line.pieces if piece.kind is Kind.SILENCE) == 20 * MS


def test_nothing_is_silence() -> None:
    line = Line()
    assert kinds(line.pull(5)) == [Kind.SILENCE] * 5


def test_reordered_packets_are_put_right() -> None:
    line = Line()
    for pair in range(10):
        line.arrive(2 * pair + 1)
        line.arrive(2 * pair)
        line.pull(2)
    line.pull(2)
    assert payloads(line.pieces) == PACKETS[:20]
    assert line.buffer.lost == 0


def test_a_lost_packet_comes_with_the_one_that_follows() -> None:
    line = Line()
    for number in (0, 1, 3, 4, 5):
        line.arrive(number, line.now + number * TICK)
    pieces = line.pull(8)
    gap = next(piece for piece in pieces if piece.kind is Kind.LOST)
    assert gap.samples == FRAME
    assert gap.payload == PACKETS[3]
    assert line.buffer.lost == 1


def test_of_two_lost_packets_only_the_second_can_be_recovered() -> None:
    line = Line()
    for number in (0, 1, 4, 5):
        line.arrive(number, line.now + number * TICK)
    lost = [piece for piece in line.pull(6) if piece.kind is Kind.LOST]
    assert [piece.payload for piece in lost] == [b"", PACKETS[4]]
    assert line.buffer.lost == 2


def test_a_jump_of_the_timestamp_alone_is_silence_and_no_loss() -> None:
    line = Line()
    for number in range(3):
        line.arrive(number)
    line.buffer.insert(line.sequence + 3, line.timestamp + 10 * FRAME, PACKETS[3], line.now + 0.2)
    pieces = line.pull(12)
    assert Kind.LOST not in kinds(pieces)
    assert payloads(pieces) == PACKETS[:4]
    assert line.buffer.lost == line.buffer.concealed == 0


def test_after_a_dtx_packet_nothing_is_concealed() -> None:
    line = Line()
    line.arrive(0)
    line.arrive(1, payload=b"\x78")
    assert Kind.LOST not in kinds(line.pull(10))


def test_sudden_end_is_concealed_for_a_moment_and_then_silent() -> None:
    line = Line()
    line.arrive(0)
    line.pull(3)
    pieces = line.pull(IDLE)
    assert kinds(pieces[:4]) == [Kind.LOST] * 4
    assert kinds(pieces[6:]) == [Kind.SILENCE] * len(pieces[6:])


def test_after_a_pause_the_stream_restarts_without_loss() -> None:
    line = Line()
    for number in range(5):
        line.arrive(number)
        line.pull()
    line.pull(IDLE + 20)
    line.sequence, line.timestamp = 40_000, 2_000_000_000
    for number in range(5):
        line.arrive(number)
        line.pull()
    assert payloads(line.pieces)[5:] == PACKETS[:4]
    assert line.buffer.lost == 0


@pytest.mark.parametrize(
    ("sequence", "timestamp"), [(65_533, 0), (0, 2**32 - 3 * FRAME), (65_530, 2**32 - 5 * FRAME - 7)]
)
def test_numbers_that_wrap_around_go_on(sequence: int, timestamp: int) -> None:
    line = Line(sequence, timestamp)
    for number in range(20):
        line.arrive(number)
        line.pull()
    assert payloads(line.pieces)[:15] == PACKETS[:15]
    assert line.buffer.lost == line.buffer.late == line.buffer.jumps == 0


def test_65536_packets_are_distinguished() -> None:
    line = Line()
    for number in range(66_000):
        line.arrive(number)
        line.pull()
        line.pieces.clear()
    assert line.buffer.received == 66_000
    assert line.buffer.lost == line.buffer.late == line.buffer.jumps == 0


def test_a_packet_that_comes_after_its_time_is_late() -> None:
    line = Line()
    for number in range(10):
        if number != 4:
            line.arrive(number)
        line.pull()
    assert not line.arrive(4)
    assert line.buffer.late == line.buffer.lost == 1


def test_doubled_packets_are_dropped() -> None:
    line = Line()
    assert line.arrive(0)
    assert not line.arrive(0)
    assert line.buffer.duplicates == 1


def test_garbage_is_refused() -> None:
    assert not Line().buffer.insert(1, 1, b"\xff\x3f", 0.0)


def test_a_jump_of_minutes_begins_a_new_stream() -> None:
    line = Line()
    for number in range(5):
        line.arrive(number)
        line.pull()
    line.timestamp += 48_000 * 300
    for number in range(5, 15):
        line.arrive(number)
        line.pull()
    assert line.buffer.jumps == 1
    assert payloads(line.pieces)[-9:] == PACKETS[5:14]


def test_a_stalled_stream_continues_at_the_point_where_it_stopped() -> None:
    line = Line()
    for number in range(50):
        line.arrive(number)
        line.pull()
    line.pull(6)  # 120 ms of nothing, then everything at once
    for number in range(50, 57):
        line.arrive(number)
    for number in range(57, 100):
        line.pull()
        line.arrive(number)
    assert line.buffer.late == 0
    assert payloads(line.pieces) == [PACKETS[number % 50] for number in range(len(payloads(line.pieces)))]


def test_the_time_of_a_packet_is_that_of_its_arrival_without_jitter() -> None:
    line = Line()
    chance = random.Random(3)
    for number in range(300):
        line.arrive(number, line.now + chance.uniform(0, 0.04))
        line.pull()
    began = 50.0
    for number in (250, 299):
        assert line.buffer.arrived(line.timestamp + number * FRAME, line.now) == pytest.approx(
            began + number * TICK, abs=0.003
        )


def jittery(line: Line, numbers: range, spread: float, seed: int = 1) -> None:
    """Let packets arrive up to `spread` seconds late, in order or not, while the clock pulls."""
    chance = random.Random(seed)
    arrivals = sorted((number * TICK + chance.uniform(0, spread), number) for number in numbers)
    start = line.now - numbers.start * TICK
    for _ in numbers:
        while arrivals and arrivals[0][0] + start <= line.now:
            at, number = arrivals.pop(0)
            line.arrive(number, at + start)
        line.pull()


def test_depth_grows_with_the_jitter_and_comes_back_down() -> None:
    line = Line()
    jittery(line, range(500), 0.005)
    calm = line.buffer.depth(line.now)
    assert calm < 0.06
    jittery(line, range(500, 1500), 0.12)
    assert 0.1 < line.buffer.depth(line.now) < 0.2
    before = line.buffer.late
    jittery(line, range(1500, 2500), 0.12, seed=2)
    assert line.buffer.late - before < 30
    jittery(line, range(2500, 4500), 0.005)
    assert line.buffer.depth(line.now) < 0.07


def waits(line: Line, length: int, count: int, start: float) -> list[float]:
    """Let packets of `length` samples come without jitter; how long each one's first sample waits to be played."""
    seconds, payload = length / SAMPLE_RATE, PACKETS_OF[length]
    found, sent = [], 0
    while sent < count:
        while sent * seconds + start <= line.now:
            stamp = (line.timestamp + sent * length) & 0xFFFFFFFF
            line.buffer.insert((line.sequence + sent) & 0xFFFF, stamp, payload, sent * seconds + start)
            sent += 1
        before = line.buffered
        for piece in line.pull():
            if piece.kind is Kind.PACKET:
                played = line.now - TICK + before / SAMPLE_RATE
                found.append(played - start - (piece.timestamp - line.timestamp) / SAMPLE_RATE)
            before += piece.samples
    return found


@pytest.mark.parametrize("length", PACKETS_OF)
@pytest.mark.parametrize("phase_ms", range(1, 20, 3))
def test_on_a_clean_network_a_packet_waits_no_longer_than_two_ticks(phase_ms: int, length: int) -> None:
    line = Line()
    found = waits(line, length, 2000, line.now - phase_ms / 1000)
    assert min(found) > 0.0199
    assert max(found[-500:]) < 0.0431  # two ticks, the samples that may be left over, a step of the stretch
    assert line.buffer.concealed == line.buffer.late == line.buffer.lost == 0


def test_what_is_left_over_between_packets_and_ticks_is_played_away() -> None:
    line = Line()
    line.buffered = 12 * MS  # as after a stretch
    for number in range(1500):
        line.arrive(number, line.now - 0.005)
        line.pull()
    assert line.buffered % FRAME <= 2 * MS
    assert line.buffer.concealed == line.buffer.late == 0


@pytest.mark.parametrize("ppm", [300, -300])
def test_a_clock_that_is_off_is_followed_without_loss(ppm: int) -> None:
    line = Line()
    sent = 0
    start = line.now
    for _ in range(50 * 180):  # three minutes: 54 ms apart
        while sent * TICK * (1 - ppm / 1e6) + start <= line.now:
            line.arrive(sent, start + sent * TICK * (1 - ppm / 1e6))
            sent += 1
        line.pull()
        line.pieces.clear()
        assert line.buffer.depth(line.now) < 0.08
    assert line.buffer.late == line.buffer.lost == line.buffer.concealed == 0


def test_what_the_node_slept_through_is_no_loss() -> None:
    line = Line()
    for number in range(30):
        line.arrive(number)
        line.pull()
    for number in range(30, 40):
        line.arrive(number)
    line.buffer.skip(10 * FRAME)
    line.pull(2)
    assert line.buffer.lost == 0

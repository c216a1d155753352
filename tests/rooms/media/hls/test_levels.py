"""The levels of the voices, as a playlist carries them."""

from rooms.media.hls.levels import STEP, Levels

HANA, SOL = "5e0b1a52-7c1c-4b0e-9d3f-0a6f4a1f2c11", "0c8f2f5e-3c0a-4f0d-8a57-4a0c5d1b9e22"


def noted(*levels: dict[str, int], since: int = 0) -> Levels:
    made = Levels()
    for number, one in enumerate(levels):
        made.note(since + number * STEP, STEP, one)
    return made


def test_each_step_of_a_segment_has_two_digits() -> None:
    levels = noted({HANA: 63}, {HANA: 7, SOL: 40}, {})
    assert levels.take(0, 3 * STEP) == f"{SOL}=004000,{HANA}=630700"


def test_a_silent_voice_is_left_out() -> None:
    assert noted({HANA: 0, SOL: 0}, {}).take(0, 2 * STEP) == ""
    assert noted({HANA: 0, SOL: 1}).take(0, STEP) == f"{SOL}=01"


def test_the_loudest_has_two_digits_like_all_others() -> None:
    assert noted({HANA: 100}).take(0, STEP) == f"{HANA}=99"


def test_steps_follow_from_the_segment_and_not_from_the_pieces() -> None:
    levels = noted({HANA: 10}, {HANA: 20}, {HANA: 30}, since=STEP // 3)
    assert levels.take(0, 2 * STEP) == f"{HANA}=1020"
    assert levels.take(2 * STEP, STEP) == f"{HANA}=30", "a piece that reaches into the next segment is kept for it"


def test_a_gap_has_no_levels() -> None:
    levels = noted({HANA: 10})
    levels.note(3 * STEP, STEP, {HANA: 20})
    assert levels.take(0, 4 * STEP) == f"{HANA}=10000020"


def test_what_was_taken_is_forgotten() -> None:
    levels = noted({HANA: 10}, {HANA: 20})
    levels.take(0, 2 * STEP)
    assert levels.take(0, 2 * STEP) == ""


def test_half_a_step_at_the_end_of_a_segment_counts_or_is_left_out() -> None:
    assert noted({HANA: 10}, {HANA: 20}).take(0, STEP + STEP // 2 + 1) == f"{HANA}=1020"
    assert noted({HANA: 10}, {HANA: 20}).take(0, STEP + STEP // 2) == f"{HANA}=10"

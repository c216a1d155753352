"""The clips of the demonstration: one for every turn, made of its words, each a stretch of real sound."""

import subprocess
from pathlib import Path

import numpy as np
import pytest

from rooms.media.sound.opus import FRAME, SAMPLE_RATE, Decoder, samples_of
from spaces_project.demo.people import BY_HANDLE
from spaces_project.demo.speech import make
from spaces_project.demo.speech.clips import CLIPS, ENDING, described, packets, seconds, tags_of
from spaces_project.demo.speech.texts import SCENES, TURNS, VOICES, speaker

MOST_BYTES = 600_000
SHORTEST, LONGEST = 1.5, 10.0  # seconds
AUDIBLE = 500.0  # RMS of a clip


def test_there_is_one_clip_for_each_turn() -> None:
    assert {path.stem for path in CLIPS.iterdir()} == set(TURNS)


@pytest.mark.parametrize("turn", TURNS)
def test_a_clip_was_made_of_the_words_and_the_voice_of_today(turn: str) -> None:
    assert tags_of(CLIPS / f"{turn}.opus") == described(turn, TURNS[turn], VOICES[speaker(turn)])


def test_all_clips_together_are_small() -> None:
    assert sum(path.stat().st_size for path in CLIPS.iterdir()) <= MOST_BYTES


@pytest.mark.parametrize("turn", TURNS)
def test_a_clip_is_a_stretch_of_sound(turn: str) -> None:
    decoder = Decoder()
    sound = np.concatenate([decoder.decode(packet) for packet in packets(turn)])
    assert len(sound) == pytest.approx(seconds(turn) * SAMPLE_RATE, abs=FRAME)
    assert SHORTEST < seconds(turn) < LONGEST
    assert np.sqrt(np.mean(sound.astype(float) ** 2)) > AUDIBLE


def test_packets_hold_20_ms_and_end_in_silence() -> None:
    assert {samples_of(packet) for packet in packets("iris-1")} == {FRAME}
    assert packets("iris-1")[-len(ENDING) :] == ENDING


def test_there_is_no_clip_of_an_unknown_turn() -> None:
    with pytest.raises(FileNotFoundError):
        packets("hana-1")


def test_everyone_who_speaks_has_a_voice_and_an_account() -> None:
    assert {speaker(turn) for turn in TURNS} == set(VOICES)
    assert set(VOICES) < set(BY_HANDLE)


def test_a_turn_stands_in_one_scene() -> None:
    assert sum(len(scene) for scene in SCENES.values()) == len(TURNS)


def test_the_words_say_nothing_that_a_member_could_not_repeat_aloud() -> None:
    assert all(words.isascii() and words.strip() == words and 20 < len(words) < 200 for words in TURNS.values())


def test_only_changed_turns_are_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With a program in the place of espeak-ng that beeps, as Debian's package is for developers alone."""
    monkeypatch.setattr(make, "CLIPS", tmp_path)
    monkeypatch.setattr(make, "TURNS", {"iris-1": "One.", "rex-1": "Two."})
    asked: list[str] = []

    def beep(command: list[str], **_: object) -> subprocess.CompletedProcess[bytes]:
        asked.append(command[-1])
        return subprocess.CompletedProcess(command, 0, stdout=_beep())

    monkeypatch.setattr(subprocess, "run", beep)
    (tmp_path / "stray-1.opus").touch()
    make.main()
    make.main()
    monkeypatch.setattr(make, "TURNS", {"iris-1": "One.", "rex-1": "Three."})
    make.main()
    assert asked == ["One.", "Two.", "Three."]
    assert {path.name for path in tmp_path.iterdir()} == {"iris-1.opus", "rex-1.opus"}
    assert capsys.readouterr().out.splitlines()[-1].startswith("2 clips, ")


def _beep() -> bytes:
    """Half a second of 440 Hz as espeak-ng writes to a pipe: a WAV file that does not know how long it is."""
    moments = np.arange(11_025) / 22_050
    samples = np.rint(9_000 * np.sin(2 * np.pi * 440 * moments)).astype("<i2").tobytes()
    unknown = (0x7FFFF000).to_bytes(4, "little")
    form = b"\x01\x00\x01\x00" + (22_050).to_bytes(4, "little") + (44_100).to_bytes(4, "little") + b"\x02\x00\x10\x00"
    return b"RIFF" + unknown + b"WAVEfmt " + (16).to_bytes(4, "little") + form + b"data" + unknown + samples

"""The output of children: on the console, or in files and only errors on the console."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from spaces_project.machine import output
from spaces_project.machine.output import Console, LogFiles


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def files(tmp_path: Path, said: list[str]) -> Iterator[LogFiles]:
    one = LogFiles(tmp_path / "log", said.append)
    yield one
    one.close()


def test_the_console_names_the_process(said: list[str]) -> None:
    Console(said.append).take("web", "ready")
    assert said == ["     web | ready"]


def test_each_process_has_its_file_and_the_console_is_quiet(files: LogFiles, said: list[str], tmp_path: Path) -> None:
    files.take("web", "one")
    files.take("media", "two")
    files.take("web", "three")
    assert (tmp_path / "log/web.log").read_text() == "one\nthree\n"
    assert (tmp_path / "log/media.log").read_text() == "two\n"
    assert said == []


def test_no_other_user_reads_them(files: LogFiles, tmp_path: Path) -> None:
    assert (tmp_path / "log").stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize(
    "line",
    [
        "2024-12-01T10:00:00Z [error    ] request_failed [django.request] path=/x",
        "2024-12-01T10:00:00Z [critical ] no_redis [rooms]",
        "Traceback (most recent call last):",
        "CommandError: no such thing",
    ],
)
def test_an_error_is_on_the_console_with_the_name_of_its_file(
    files: LogFiles, said: list[str], tmp_path: Path, line: str
) -> None:
    files.take("web", line)
    assert said == [f"web: {line} (more in {tmp_path}/log/web.log)"]


@pytest.mark.parametrize("line", ["[info     ] error=0", "no error here", "  Traceback (most recent call last):"])
def test_other_lines_are_not(files: LogFiles, said: list[str], line: str) -> None:
    files.take("web", line)
    assert said == []


def test_many_errors_of_one_process_are_one_line(files: LogFiles, said: list[str], tmp_path: Path) -> None:
    for number in range(50):
        files.take("web", f"[error    ] {number}")
    files.take("worker", "[error    ] another")
    assert [line.partition(" (")[0] for line in said] == ["web: [error    ] 0", "worker: [error    ] another"]
    assert (tmp_path / "log/web.log").read_text().count("\n") == 50


def test_the_file_of_the_start_before_is_put_aside(files: LogFiles, tmp_path: Path, said: list[str]) -> None:
    files.take("web", "old")
    files.close()
    again = LogFiles(tmp_path / "log", said.append)
    again.take("web", "new")
    again.close()
    assert (tmp_path / "log/web.log").read_text() == "new\n"
    assert (tmp_path / "log/web.log.1").read_text() == "old\n"


def test_a_file_that_grew_too_large_is_put_aside(
    files: LogFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(output, "LARGEST", 10)
    for number in range(5):
        files.take("web", f"line {number}")
    assert sorted(path.name for path in (tmp_path / "log").iterdir()) == ["web.log", "web.log.1"]
    assert (tmp_path / "log/web.log").read_text() == "line 4\n"
    assert (tmp_path / "log/web.log.1").read_text() == "line 2\nline 3\n"


def test_it_names_the_place_of_the_output(files: LogFiles, tmp_path: Path, said: list[str]) -> None:
    assert files.place("prepare") == f"in {tmp_path}/log/prepare.log"
    assert Console(said.append).place("prepare") == "above"

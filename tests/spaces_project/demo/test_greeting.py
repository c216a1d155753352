"""What the console says of a demonstration."""

from pathlib import Path

from spaces_project.demo import greeting, links
from spaces_project.demo.people import CAST

SECRET = links.new_secret()


def said(logs: Path | None = Path("var/log")) -> list[str]:
    return list(greeting.lines("http://localhost:8000", "a-b-c-d", SECRET, "Sound is here.", logs))


def test_it_ends_with_the_links() -> None:
    wanted = [f"http://localhost:8000{links.path(SECRET, handle)}" for handle in ("lior", "hana", "mo")]
    assert [line.split()[-1] for line in said()[-3:]] == wanted


def test_it_says_who_is_who_and_what_helps() -> None:
    words = "\n".join(said())
    assert all(str(member.part) in words for member in CAST)
    for hint in ("a-b-c-d", "Sound is here.", "private window", "headphones", "var/log", "--verbose"):
        assert hint in words


def test_it_names_no_files_if_everything_is_printed() -> None:
    assert "var/log" not in "\n".join(said(None))


def test_it_fits_a_terminal_of_100_columns() -> None:
    assert max(map(len, said())) <= 100

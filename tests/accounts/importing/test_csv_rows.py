"""CSV files as programs write them: marks, separators, encodings, quotation marks, columns and empty rows."""

from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from accounts.importing.csv_rows import HeaderFault, Row, read_rows
from accounts.models import User


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "members.csv"


def rows_of(file: Path, data: bytes) -> list[Row]:
    file.write_bytes(data)
    return list(read_rows(file, ["handle"], ["display_name", "bio"]))


def refusal_of(file: Path, data: bytes) -> str:
    with pytest.raises(HeaderFault) as refused:
        rows_of(file, data)
    return str(refused.value)


@pytest.mark.parametrize(
    "data",
    [
        b'\xef\xbb\xbfhandle,display_name\r\nana_k,"Ana, K"\r\n',
        b'handle;display_name\r\nana_k;"Ana, K"\r\n',
        b"handle;display_name\r\nana_k;Ana, K\r\n",
        b"handle\tdisplay_name\nana_k\tAna, K\n",
        b'handle,display_name\rana_k,"Ana, K"\r',
    ],
)
def test_marks_separators_and_line_ends_of_programs_are_read(file: Path, data: bytes) -> None:
    assert rows_of(file, data) == [Row(2, {"handle": "ana_k", "display_name": "Ana, K"})]


def test_rows_of_separators_are_empty_rows(file: Path) -> None:
    rows = rows_of(file, b"handle,display_name\r\nana_k,Ana\r\n,\r\n\r\n , \r\n,,,\r\nben_l,Ben\r\n,\r\n")
    assert [(row.line, row.values["handle"]) for row in rows] == [(2, "ana_k"), (7, "ben_l")]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ("handle,bio\nana_k,\n".encode("utf-16"), "the file is UTF-16; save it as CSV UTF-8"),
        ("handle,bio\nana_k,\n".encode("utf-16-be"), "the file is UTF-16; save it as CSV UTF-8"),
        (b"handle,\xfcber\nana_k,\n", "line 1 is not UTF-8, perhaps Latin-1 or Windows-1252"),
        (b"handle,display_name,handle\nana_k,Ana,ben_l\n", "line 1 names columns twice: handle"),
        (b"handle,display_name,\r\nana_k,Ana K,\r\n", "line 1 gives column 3 no name"),
        (b'handle,"display_name\nana_k,Ana K\n', "line 1 has a quotation mark that is not closed"),
        (b"handle,password\nana_k,x\n", "line 1 names unknown columns: password"),
        (b"", "line 1 must name the columns; missing: handle"),
    ],
)
def test_a_header_that_cannot_be_read_is_one_line(file: Path, data: bytes, said: str) -> None:
    assert refusal_of(file, data).startswith(said)


def test_an_unclosed_quotation_mark_says_which_lines_it_takes_along(file: Path) -> None:
    below = b"".join(b"row_%d,Row %d\n" % (number, number) for number in range(200))
    rows = rows_of(file, b'handle,display_name\nana_k,Ana\nben_l,"Ben L\n' + below)
    assert [row.line for row in rows] == [2, 3]
    assert rows[1].fault == "a quotation mark is not closed or not doubled; nothing up to line 203 is imported"


def test_a_later_quotation_mark_ends_the_damage(file: Path) -> None:
    rows = rows_of(file, b'handle,display_name\nana_k,"Ana\nben_l,"Ben L"\nkim,"Kim"\n')
    assert (rows[0].line, rows[0].values) == (2, {})
    assert rows[0].fault.endswith("; nothing up to line 3 is imported")
    assert rows[1] == Row(4, {"handle": "kim", "display_name": "Kim"})


def test_only_a_bio_may_hold_line_breaks(file: Path) -> None:
    rows = rows_of(file, b'handle,display_name,bio\nana_k,Ana,"one\ntwo"\nben_l,"Ben\nkim,Kim\n",\ndee,Dee,\n')
    assert rows[0].values["bio"] == "one\ntwo"
    assert "is a quotation mark not closed?; nothing up to line 6 is imported" in rows[1].fault
    assert rows[2].line == 7


def test_rows_in_latin_1_are_named_and_the_others_read(file: Path) -> None:
    rows = rows_of(file, b"handle,display_name\nana_k,Ana K\xf6hler\nben_l,Ben L\n")
    assert rows[0].fault.startswith("is not UTF-8, perhaps Latin-1 or Windows-1252")
    assert rows[1].values["handle"] == "ben_l"


def test_the_command_says_each_of_it_without_a_traceback(db: None, file: Path) -> None:
    file.write_bytes(b'handle,"display_name\nrow_0,Row 0\n')
    with pytest.raises(CommandError, match="line 1 has a quotation mark that is not closed"):
        call_command("import_members", file)
    assert not User.objects.exists()

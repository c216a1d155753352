"""CSV files of operators, read row by row. A faulty row is reported with its line; the others are read all the same."""

import csv
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Protocol, TypeVar

from accounts.shared.counting import counted

T = TypeVar("T")
LINE_BREAK = re.compile(r"[\r\n]")


SEPARATORS = ",;\t"
#: Columns whose values may hold line breaks. In another one a line break means a quotation mark that is not closed.
TEXT_COLUMNS = {"bio"}
UTF16_MARKS = ("\udcff\udcfe", "\udcfe\udcff")  # the byte-order marks, read as UTF-8 with surrogateescape
NOT_UTF8 = "is not UTF-8, perhaps Latin-1 or Windows-1252; save the file as CSV UTF-8"


class HeaderFault(Exception):
    """The first line cannot be read or does not name the columns. The text says why."""


class Reader(Iterator[list[str]], Protocol):
    """What csv.reader() returns. `line_num` counts the lines read so far."""

    @property
    def line_num(self) -> int: ...


@dataclass(frozen=True)
class Row:
    """One row: the line on which it begins, its values by column, and its fault, or an empty text."""

    line: int
    values: dict[str, str] = field(default_factory=dict)
    fault: str = ""


def read_rows(path: Path, required: list[str], optional: list[str]) -> Iterator[Row]:
    """The rows of a UTF-8 file whose first line names the columns, in any order. Empty rows are skipped.

    Commas, semicolons or tabs separate the columns, as in the first line. A byte-order mark is allowed.
    Raises HeaderFault for a first line that cannot be read and for missing, unknown, doubled or nameless columns,
    and OSError if the file cannot be read.
    """
    with path.open(newline="", encoding="utf-8-sig", errors="surrogateescape") as file:
        header = file.readline()
        separator = max(SEPARATORS, key=header.count)
        columns = _columns(header, separator)
        _check_header(columns, required, optional)
        yield from _rows(csv.reader(file, delimiter=separator, strict=True), columns)


def _columns(header: str, separator: str) -> list[str]:
    if header.startswith(UTF16_MARKS) or "\0" in header:
        raise HeaderFault("the file is UTF-16; save it as CSV UTF-8")
    if not _is_text(header):
        raise HeaderFault(f"line 1 {NOT_UTF8}")
    try:
        names = next(csv.reader([header], delimiter=separator, strict=True), [])
    except csv.Error:
        raise HeaderFault("line 1 has a quotation mark that is not closed") from None
    return [name.strip().lower() for name in names]


def _check_header(columns: list[str], required: list[str], optional: list[str]) -> None:
    if missing := [name for name in required if name not in columns]:
        raise HeaderFault(f"line 1 must name the columns; missing: {', '.join(missing)}")
    if "" in columns:
        raise HeaderFault(f"line 1 gives column {columns.index('') + 1} no name; delete the column or name it")
    if doubled := sorted({name for name in columns if columns.count(name) > 1}):
        raise HeaderFault(f"line 1 names columns twice: {', '.join(doubled)}")
    if unknown := [name for name in columns if name not in required + optional]:
        raise HeaderFault(f"line 1 names unknown columns: {', '.join(unknown)}")


def _rows(reader: Reader, columns: list[str]) -> Iterator[Row]:
    while True:
        begins = reader.line_num + 2  # the header is read already
        try:
            values = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield Row(begins, fault=_not_csv(error, begins, reader.line_num + 1))
        else:
            if any(value.strip() for value in values):
                yield _row(begins, reader.line_num + 1, columns, values)


def _not_csv(error: csv.Error, begins: int, ends: int) -> str:
    """What is wrong, and up to which line nothing was read: an open quotation mark takes the lines below it along."""
    if ends == begins and "field limit" in str(error):
        return f"is not CSV: {error}"
    return f"a quotation mark is not closed or not doubled{_to(begins, ends)}"


def _to(begins: int, ends: int) -> str:
    return f"; nothing up to line {ends} is imported" if ends > begins else ""


def _row(begins: int, ends: int, columns: list[str], values: list[str]) -> Row:
    if len(values) != len(columns):
        fault = f"has {counted(len(values), 'column')} instead of {len(columns)}{_to(begins, ends)}"
        return Row(begins, fault=fault)
    named = {name: value.strip() for name, value in zip(columns, values, strict=True)}
    if any(LINE_BREAK.search(value) for name, value in named.items() if name not in TEXT_COLUMNS):
        return Row(begins, fault=f"has a line break in a value; is a quotation mark not closed?{_to(begins, ends)}")
    if not _is_text("".join(values)):
        return Row(begins, fault=("holds a NUL character" if "\0" in "".join(values) else NOT_UTF8) + _to(begins, ends))
    return Row(begins, named)


def _is_text(value: str) -> bool:
    """Whether it holds no NUL, which PostgreSQL refuses, and no surrogate, which stands for a byte outside UTF-8."""
    try:
        return b"\0" not in value.encode()
    except UnicodeEncodeError:
        return False


def batches(rows: Iterable[T], size: int) -> Iterator[list[T]]:
    rows = iter(rows)
    while batch := list(islice(rows, size)):
        yield batch

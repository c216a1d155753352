"""CSV files of operators, read row by row. A faulty row is reported with its line; the others are read all the same."""

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TypeVar

from accounts.shared.counting import counted

T = TypeVar("T")


class HeaderFault(Exception):
    """The first line does not name the required columns. The text says which."""


@dataclass(frozen=True)
class Row:
    """One row: the line on which it begins, its values by column, and its fault, or an empty text."""

    line: int
    values: dict[str, str] = field(default_factory=dict)
    fault: str = ""


def read_rows(path: Path, required: list[str], optional: list[str]) -> Iterator[Row]:
    """The rows of a UTF-8 file whose first line names the columns, in any order. Empty lines are skipped.

    Raises HeaderFault for missing or unknown columns, and OSError if the file cannot be read.
    """
    with path.open(newline="", encoding="utf-8-sig", errors="surrogateescape") as file:
        reader = csv.reader(file)
        columns = [name.strip().lower() for name in next(reader, [])]
        _check_header(columns, required, optional)
        begins = reader.line_num + 1
        while True:
            try:
                values = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                yield Row(begins, fault=f"is not CSV: {error}")
            else:
                if values:
                    yield _row(begins, columns, values)
            begins = reader.line_num + 1


def _check_header(columns: list[str], required: list[str], optional: list[str]) -> None:
    if missing := [name for name in required if name not in columns]:
        raise HeaderFault(f"the first line must name the columns; missing: {', '.join(missing)}")
    if unknown := [name for name in columns if name not in required + optional]:
        raise HeaderFault(f"the first line names unknown columns: {', '.join(unknown)}")


def _row(line: int, columns: list[str], values: list[str]) -> Row:
    if len(values) != len(columns):
        return Row(line, fault=f"has {counted(len(values), 'column')} instead of {len(columns)}")
    if not _is_text("".join(values)):
        return Row(line, fault="is not text in UTF-8")
    return Row(line, {name: value.strip() for name, value in zip(columns, values, strict=True)})


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

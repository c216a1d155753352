"""One range of a file, as a request asks for it (RFC 9110 section 14). Imports nothing of Django."""

import re

# Possessive, so that a long header of spaces is read once: otherwise each way to divide them is tried.
_RANGE = re.compile(r"bytes[ \t]*+=[ \t]*+([0-9]*+)[ \t]*+-[ \t]*+([0-9]*+)[ \t]*+", re.IGNORECASE)
_MOST_DIGITS = 18  # numbers with more are beyond the end of every file; Python refuses to read very long ones


class Unsatisfiable(ValueError):
    """No byte of the range is in the file: the answer is 416."""


def read(header: str, size: int) -> tuple[int, int] | None:
    """The first byte and the one after the last that a `Range` header asks for, of a file of `size` bytes.

    None if the header is to be ignored: it is empty, asks for several ranges, or is no valid range (section 14.2 lets a
    server answer all of these with the whole file). Raises Unsatisfiable.
    """
    found = _RANGE.fullmatch(header)
    if found is None or found.groups() == ("", ""):
        return None
    first, last = found.groups()
    return _from(_number(first), last, size) if first else _suffix(_number(last), size)


def _from(first: int, last: str, size: int) -> tuple[int, int] | None:
    if last and _number(last) < first:
        return None  # invalid, and not unsatisfiable (section 14.1.1)
    if first >= size:
        raise Unsatisfiable
    return first, min(_number(last) + 1, size) if last else size


def _suffix(length: int, size: int) -> tuple[int, int]:
    if length == 0 or size == 0:
        raise Unsatisfiable
    return max(0, size - length), size


def _number(digits: str) -> int:
    significant = digits.lstrip("0") or "0"
    return int(significant) if len(significant) <= _MOST_DIGITS else 10**_MOST_DIGITS

"""What a `Range` header asks for, by RFC 9110 section 14. Two servers of the site read it here."""

import time

import pytest

from rooms import ranges

HUGE = "9" * 5000  # more digits than Python reads

SATISFIABLE = [
    ("bytes=0-", (0, 1024)),
    ("bytes=0-0", (0, 1)),
    ("bytes=100-199", (100, 200)),
    ("bytes=1000-", (1000, 1024)),
    ("bytes=1000-5000", (1000, 1024)),
    ("bytes=1023-1023", (1023, 1024)),
    ("bytes=-1", (1023, 1024)),
    ("bytes=-100", (924, 1024)),
    ("bytes=-5000", (0, 1024)),
    ("bytes=007-0009", (7, 10)),
    ("Bytes = 5 - 9", (5, 10)),
    (f"bytes=0-{HUGE}", (0, 1024)),
    (f"bytes=-{HUGE}", (0, 1024)),
]
UNSATISFIABLE = ["bytes=1024-", "bytes=5000-6000", "bytes=-0", f"bytes={HUGE}-"]
IGNORED = [
    "", "bytes=", "bytes=-", "bytes=a-b", "bytes=9-5", "bytes=5000-10", "items=0-5", "0-5", "bytes=0-5,10-15",
    "bytes=--5", "bytes=1.5-2", "bytes=٣-٤", "bytes=0-5\n", f"bytes={HUGE}-5",
]  # fmt: skip


@pytest.mark.parametrize(("header", "found"), SATISFIABLE)
def test_one_range_is_read(header: str, found: tuple[int, int]) -> None:
    assert ranges.read(header, 1024) == found


@pytest.mark.parametrize("header", UNSATISFIABLE)
def test_a_range_beyond_the_end_is_unsatisfiable(header: str) -> None:
    with pytest.raises(ranges.Unsatisfiable):
        ranges.read(header, 1024)


@pytest.mark.parametrize("header", IGNORED)
def test_what_is_no_single_range_is_ignored(header: str) -> None:
    assert ranges.read(header, 1024) is None


@pytest.mark.parametrize("header", ["bytes={0}-{0}x", "bytes={0}x", "bytes{0}-", "bytes=0-{0}x", "bytes={0}-{0}1{0}x"])
def test_a_header_full_of_spaces_takes_no_time(header: str) -> None:
    """Each of these costs a search that tries all divisions of the spaces a minute and more."""
    began = time.process_time()
    assert ranges.read(header.format(" " * 50_000), 1024) is None
    assert time.process_time() - began < 1.0


@pytest.mark.parametrize("header", ["bytes=0-", "bytes=-5", "bytes=0-0"])
def test_an_empty_file_satisfies_no_range(header: str) -> None:
    with pytest.raises(ranges.Unsatisfiable):
        ranges.read(header, 0)

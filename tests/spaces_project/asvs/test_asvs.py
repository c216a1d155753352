"""docs/asvs.md against the tests: each requirement of ASVS 5.0 stands there once, and each named test exists."""

import ast
import re
from collections import Counter
from functools import cache
from pathlib import Path

from tests.rig.machine import CHECKOUT

PAGE = (CHECKOUT / "docs" / "asvs.md").read_text(encoding="utf-8")
NUMBERS = (
    Path(__file__).with_name("requirements_5_0.txt").read_text(encoding="ascii")
)  # of level 1 and 2, with the level
ROW = re.compile(r"^\| (\d+\.\d+\.\d+) \| ([12]) \| ([a-z ]+) \| (.+?) \| (.+) \|$", re.MULTILINE)
TEST = re.compile(r"`(tests/[\w/]+\.py)(?:::(test_\w+))?`")
NO_GAP = {"2", "3", "6", "7", "8", "13", "14", "16"}  # chapters
ROWS = ROW.findall(PAGE)


@cache
def functions_of(path: str) -> set[str]:
    tree = ast.parse((CHECKOUT / path).read_text(encoding="utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


def test_each_requirement_stands_on_the_page_once_with_its_level() -> None:
    wanted = dict(line.split() for line in NUMBERS.splitlines())
    assert Counter(number for number, *_ in ROWS) == Counter(list(wanted))
    assert {number: level for number, level, *_ in ROWS} == wanted
    assert len(wanted) == 253


def test_each_row_has_one_of_four_states() -> None:
    assert {state for _, _, state, *_ in ROWS} <= {"holds", "differs", "not applicable", "fails"}


def test_what_holds_names_tests_that_exist() -> None:
    for number, _, state, _, shown in ROWS:
        named = TEST.findall(shown)
        assert named or state != "holds", number
        for path, test in named:
            found = functions_of(path)
            assert (test in found) if test else any(name.startswith("test_") for name in found), (
                f"{number}: {path} {test}"
            )


def test_each_deviation_has_a_reason_in_words() -> None:
    for number, _, state, _, shown in ROWS:
        words = TEST.sub("", shown).strip("; ")
        assert len(words) > 10 or state in ("holds", "fails"), number


def test_no_gap_is_left_in_the_chapters_of_accounts_and_configuration() -> None:
    assert [number for number, _, state, *_ in ROWS if state == "fails" and number.split(".")[0] in NO_GAP] == []

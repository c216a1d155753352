"""Docstrings speak one dialect. The form (summary, blank line, quotes) is a matter of ruff's rules D."""

import ast
import re
from collections.abc import Iterator

import pytest

from tests.test_imports import ORDER, label, sources

ALL = [*ORDER, "bench", "tests"]
#: A query says what it gives ("The node of this Space."). In later sentences a function "Returns" or "Raises".
WRONG = {
    "begins with Return": re.compile(r"\A(?:Returns? )"),
    "says Return in a later sentence": re.compile(r"[.:]\s+Return "),
    "says Raise in a later sentence": re.compile(r"[.:]\s+Raise "),
    "has double backticks": re.compile(r"(?<!`)``(?!`)"),
}
SECTION_RULE = re.compile(r"^\s*#\s*[-=*#]{2,}", re.MULTILINE)


def docstrings(text: str) -> Iterator[tuple[int, str]]:
    """Line and text of every docstring of a module."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            found = ast.get_docstring(node)
            if found is not None:
                yield getattr(node, "lineno", 1), found


def faults(text: str) -> list[str]:
    return [f"{line} {what}" for line, said in docstrings(text) for what, how in WRONG.items() if how.search(said)]


@pytest.mark.parametrize("app", ALL)
def test_docstrings_speak_one_dialect(app: str) -> None:
    found = [f"{label(path)}:{fault}" for path in sources(app) for fault in faults(path.read_text(encoding="utf-8"))]
    assert found == []


@pytest.mark.parametrize(
    "said", ["Return the node.", "Wait for it. Return whether it came.", "Read it. Raise ValueError.", "The ``node``."]
)
def test_another_dialect_is_found(said: str) -> None:
    assert faults(f'def f() -> None:\n    """{said}"""\n') != []


@pytest.mark.parametrize(
    "said", ["The node.", "Mark them and return them.", "Wait. Returns whether it came.", "`x` is"]
)
def test_our_own_is_no_fault(said: str) -> None:
    assert faults(f'def f() -> None:\n    """{said}"""\n') == []


@pytest.mark.parametrize("app", ALL)
def test_sections_are_marked_by_a_plain_comment(app: str) -> None:
    wrong = {label(path): SECTION_RULE.findall(path.read_text(encoding="utf-8")) for path in sources(app)}
    assert {path: lines for path, lines in wrong.items() if lines} == {}


def test_a_rule_of_dashes_is_found() -> None:
    assert SECTION_RULE.search("x = 1\n\n# --- verbs ---\n") is not None
    assert SECTION_RULE.search("# Verbs\nx = 1  # -- so far\n") is None

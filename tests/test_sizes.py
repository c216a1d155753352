"""Small things: no function, file or folder of Python grows past the limits of CONTRIBUTING.md."""

import ast
import re
from pathlib import Path

import pytest

from tests.test_imports import ORDER, ROOT, label, sources
from tests.test_scripts import LINES

FUNCTION, FILE, FOLDER = 40, 400, 16  # lines, lines, files of code side by side
PATHS = [
    path for path in sources(*ORDER, "bench", "tests") if "migrations" not in path.parts[:-1] or "tests" in path.parts
]


def lengths(text: str) -> dict[str, int]:
    """The number of lines of each function, by name."""
    functions = [n for n in ast.walk(ast.parse(text)) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]
    return {node.name: (node.end_lineno or 0) - node.lineno + 1 for node in functions}


def test_no_function_is_long() -> None:
    found = {f"{label(path)} {name}": lines for path in PATHS for name, lines in lengths(path.read_text()).items()}
    assert {name: lines for name, lines in found.items() if lines > FUNCTION} == {}
    assert len(found) > 1000


def test_no_file_is_long() -> None:
    found = {label(path): path.read_text(encoding="utf-8").count("\n") for path in PATHS}
    assert {name: lines for name, lines in found.items() if lines > FILE} == {}


@pytest.mark.parametrize("folder", sorted({path.parent for path in PATHS}), ids=label)
def test_no_folder_holds_many_files(folder: Path) -> None:
    assert len([path for path in folder.glob("*.py") if path.name != "__init__.py"]) <= FOLDER


def test_a_long_function_is_measured() -> None:
    assert lengths("def f() -> None:\n" + "    pass\n" * 40) == {"f": 41}


def test_contributing_names_these_limits() -> None:
    rule = re.search(r"\*\*Small units.*?\n\d+\.", (ROOT / "CONTRIBUTING.md").read_text(), re.DOTALL)
    assert rule is not None
    numbers = [int(number) for number in re.findall(r"\b\d+\b(?!\.)", rule[0])]
    assert numbers == [FUNCTION, FILE, LINES, FOLDER]

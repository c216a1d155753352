"""Rows change by verbs of models. Views, the API, sockets, receivers and the desk call a verb and write no row."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.test_imports import ORDER, ROOT, label

WRITES = {"save", "create", "update", "delete", "get_or_create", "update_or_create", "bulk_create", "bulk_update"}
ENTRANCES = ["views.py", "api.py", "apps.py", "notices.py", "desk/*.py", "live/*_consumer.py", "live/commands.py"]
#: What a name holds that is no row: a form saves by the verbs of its model.
NO_ROWS = {"form"}
PATHS = sorted(path for app in ORDER for entrance in ENTRANCES for path in (ROOT / app).glob(entrance))


def writes(text: str) -> Iterator[str]:
    """The calls that write rows: of a model's manager, of a query, or of a row."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in WRITES:
            owner = ast.unparse(node.func.value)
            if owner not in NO_ROWS:
                yield f"{node.lineno} {owner}.{node.func.attr}"


@pytest.mark.parametrize("path", PATHS, ids=label)
def test_no_row_is_written_beside_the_verbs(path: Path) -> None:
    assert list(writes(path.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize(
    "line",
    ["notices.update(seen_at=now)", "Token.objects.create(user=user)", "user.save(update_fields=['bio'])"],
)
def test_a_row_that_is_written_is_found(line: str) -> None:
    assert len(list(writes(line))) == 1
    assert len(PATHS) > 10

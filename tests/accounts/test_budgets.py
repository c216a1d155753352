"""Budgets: what counts, for whom, how long, and that the table stands in the docs."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client import REGISTRY

from accounts import budgets
from accounts.budgets import Budget, Limit, Spent, spend

PAGE = Path(__file__).parents[2] / "docs" / "operating" / "budgets.md"
NOON = 1_800_000_000.0
TEA = Budget("tea", ("member",), (Limit(3, 60), Limit(5, 3600)), "Too much tea.")
UNITS = {60: "minute", 3600: "hour", 86400: "day"}


@pytest.fixture(autouse=True)
def _nothing_counted() -> Iterator[None]:
    client = budgets._script().registered_client
    client.flushdb()
    yield
    client.flushdb()


def drunk(who: object, seconds: float, amount: int = 1) -> int:
    """0 if a tea is allowed so many seconds after noon, or the seconds to wait."""
    try:
        spend(TEA, who, now=NOON + seconds, amount=amount)
    except Spent as spent:
        return spent.retry_after or -1
    return 0


def test_a_window_slides() -> None:
    assert [drunk("lior", at) for at in (0, 10, 20, 30, 59.5)] == [0, 0, 0, 30, 1]
    assert [drunk("lior", at) for at in (60, 61, 70)] == [0, 9, 0]


def test_the_longer_window_holds_too_and_says_its_own_wait() -> None:
    assert [drunk("lior", at) for at in (0, 100, 200, 300, 400)] == [0] * 5
    assert drunk("lior", 500) == 3100
    assert drunk("lior", 3600) == 0


def test_people_are_counted_apart() -> None:
    assert [drunk("lior", 0) for _ in range(4)] == [0, 0, 0, 60]
    assert drunk("sol", 0) == 0


def test_what_was_refused_does_not_count() -> None:
    assert [drunk("lior", 0) for _ in range(9)][3:] == [60] * 6
    assert drunk("lior", 60) == 0


def test_several_at_once_are_taken_whole_or_not_at_all() -> None:
    assert drunk("lior", 0, amount=2) == 0
    assert drunk("lior", 1, amount=2) == 59
    assert drunk("lior", 2) == 0
    assert drunk("sol", 0, amount=9) == 3600


def test_a_refusal_is_counted_for_metrics() -> None:
    def refused() -> float:
        return REGISTRY.get_sample_value("spaces_budget_refused_total", {"budget": "tea"}) or 0.0

    before = refused()
    for _ in range(4):
        drunk("lior", 0)
    assert refused() == before + 1


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(1, "in 1 second."), (119, "in 119 seconds."), (121, "in 3 minutes."), (7200, "in 2 hours.")],
)
def test_the_refusal_says_how_long_to_wait(seconds: int, said: str) -> None:
    assert Spent(TEA, seconds).text == f"Too much tea. Try again {said}"


def test_each_row_has_its_own_name_and_each_door_one_row() -> None:
    doors = [door for budget in budgets.TABLE for door in budget.doors]
    assert len({budget.name for budget in budgets.TABLE}) == len(budgets.TABLE)
    assert len(set(doors)) == len(doors)
    assert all(str(budget.refusal) for budget in budgets.TABLE)


def row(budget: Budget) -> str:
    """The row of the table in the docs."""
    limits = [
        f"{limit.most} in {limit.seconds // size} {unit}{'s' if limit.seconds // size > 1 else ''}"
        for limit in budget.limits
        for size, unit in [_unit(limit.seconds)]
    ]
    return f"| `{budget.name}` | {', '.join(budget.who)} | {', '.join(limits)} | {budget.refusal} |"


def _unit(seconds: int) -> tuple[int, str]:
    size = max((size for size in UNITS if seconds % size == 0), default=1)
    return size, UNITS.get(size, "second")


def test_the_table_stands_in_the_docs() -> None:
    head = "| budget | who is counted | at most | what the member reads |\n|---|---|---|---|"
    table = "\n".join([head, *map(row, budgets.TABLE)])
    assert f"<!-- budgets -->\n{table}\n<!-- end of budgets -->" in PAGE.read_text(encoding="utf-8")

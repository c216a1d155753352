"""What the documents say of the code, as far as it can be asked."""

import re
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]
PAGES = sorted([*CHECKOUT.glob("*.md"), *(CHECKOUT / "docs").glob("*.md")])


def test_the_table_of_signals_is_that_of_the_code() -> None:
    defined = {
        f"{path.parent.name}.signals.{name}"
        for path in CHECKOUT.glob("*/signals.py")
        for name in re.findall(r"^(\w+) = Signal\(\)", path.read_text(encoding="utf-8"), re.MULTILINE)
    }
    page = (CHECKOUT / "docs" / "architecture.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| `(\w+\.signals\.\w+)` \|", page, re.MULTILINE)) == defined


def test_every_direct_requirement_has_its_reason() -> None:
    lines = (CHECKOUT / "requirements.in").read_text(encoding="utf-8").splitlines()
    named = {re.split(r"[\[<>=]", line)[0].lower() for line in lines if line and not line.startswith("#")}
    page = (CHECKOUT / "docs" / "architecture.md").read_text(encoding="utf-8").lower()
    assert {name for name in named if name not in page} == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    links = re.findall(r"(?<!!)\[[^\]]*\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
    missing = [link for link in links if not (page.parent / link).exists()]
    assert missing == []


def test_requirements_are_locked_with_hashes_and_without_addresses() -> None:
    for name in ("requirements.txt", "requirements-dev.txt"):
        text = (CHECKOUT / name).read_text(encoding="utf-8")
        pinned = re.findall(r"^[a-z0-9][\w.-]*==\S+ \\$", text, re.MULTILINE)
        assert len(pinned) > 50
        assert len(re.findall(r"^[a-z0-9]", text, re.MULTILINE)) == len(pinned), "every requirement has a hash"
        assert not re.search(r"https?://|file:/|--index|--find-links|/opt|@ ", text), name


def test_every_make_target_in_the_documents_exists() -> None:
    targets = set(re.findall(r"^([a-z]+):", (CHECKOUT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    named = {
        target
        for page in PAGES
        for target in re.findall(r"(?:^|`)make ([a-z]+)", page.read_text(encoding="utf-8"), re.MULTILINE)
    }
    assert named - targets == set()


def test_every_command_is_named_where_operators_look() -> None:
    own = {path.stem for path in CHECKOUT.glob("*/management/commands/[a-z]*.py")}
    page = (CHECKOUT / "docs" / "operating.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `(\w+)` \| `manage.py (\w+)[^|]*` \| \S", page, re.MULTILINE))
    assert rows == {name: name for name in own}

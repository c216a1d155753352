"""Every page of the documentation that something names is there, and so is the heading that it names."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.test_imports import ORDER

CHECKOUT = Path(__file__).parents[2]
FOLDERS = [*ORDER, "bench", "docs", "templates", "tests", ".github"]
KINDS = {".py", ".html", ".txt", ".js", ".css", ".md", ".toml", ".yml"}
NAMED = re.compile(r"(?<![\w/.-])(docs/[\w./-]*\w)(#[\w-]+)?")
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)#:\s]*)(#[^)\s]+)?\)")
CODE = re.compile(r"^```.*?^```$", re.DOTALL | re.MULTILINE)


def files() -> Iterator[Path]:
    """All texts of the project, but those that are generated."""
    yield from sorted([*CHECKOUT.glob("*.md"), CHECKOUT / "Makefile", CHECKOUT / "pyproject.toml"])
    for folder in FOLDERS:
        yield from sorted(path for path in (CHECKOUT / folder).rglob("*") if path.suffix in KINDS and path.is_file())


FILES = list(files())
PAGES = [file for file in FILES if file.suffix == ".md"]


def label(path: Path) -> str:
    return str(path.relative_to(CHECKOUT))


def anchors(page: Path) -> set[str]:
    """The anchors of the headings, as GitHub makes them."""
    found: dict[str, int] = {}
    for heading in re.findall(r"^#+ (.+)$", CODE.sub("", page.read_text(encoding="utf-8")), re.MULTILINE):
        words = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()
        slug = re.sub(r"[^\w\- ]", "", words).replace(" ", "-")
        found[slug] = found.get(slug, -1) + 1
    return {f"#{slug}{f'-{number}' if number else ''}" for slug, last in found.items() for number in range(last + 1)}


def is_missing(target: Path, anchor: str) -> bool:
    if not target.exists():
        return True
    return bool(anchor) and (target.suffix != ".md" or anchor not in anchors(target))


def test_every_page_that_is_named_is_there() -> None:
    """In code, templates, tests and pages, as a path from the top of the checkout."""
    named = {
        (label(file), path, anchor)
        for file in FILES
        for path, anchor in NAMED.findall(file.read_text(encoding="utf-8"))
    }
    assert len(named) > 20
    assert [one for one in sorted(named) if is_missing(CHECKOUT / one[1], one[2])] == []


@pytest.mark.parametrize("page", PAGES, ids=label)
def test_every_link_leads_to_a_heading(page: Path) -> None:
    links = LINK.findall(CODE.sub("", page.read_text(encoding="utf-8")))
    assert [link + anchor for link, anchor in links if is_missing(page.parent / link if link else page, anchor)] == []


def test_the_anchors_are_those_of_github(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# TLS: nginx in front\n## A\n```sh\n# no heading\n```\n## A\n### `manage.py` [x](y), z\n")
    assert anchors(page) == {"#tls-nginx-in-front", "#a", "#a-1", "#managepy-x-z"}

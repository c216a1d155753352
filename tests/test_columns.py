"""Scripts, style sheets, templates and Markdown are short lines, and the check for that finds what is not."""

from pathlib import Path

import pytest

from tests.rig.columns import all_faults, faults


def test_no_line_is_too_long_and_every_template_is_broken_at_elements() -> None:
    assert all_faults() == []


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("rooms/static/rooms/app.js", "x" * 121),
        ("rooms/static/rooms/css/space.css", "x" * 121),
        ("templates/base.html", "x" * 121),
        ("templates/base.html", "<ul><li>One</li>"),
        ("docs/glossary.md", "x" * 101),
        ("CHANGELOG.md", "- " + "x" * 120),
    ],
)
def test_a_fault_is_found(name: str, line: str) -> None:
    assert [fault.split(": ")[0] for fault in faults(name, f"first\n{line}\n")] == [f"{name}:2"]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("rooms/static/rooms/app.js", "x" * 120),
        ("templates/base.html", "<p><b>One</b> <span>element</span></p>"),
        ("templates/base.html", "{# <ul><li> #}"),
        ("docs/glossary.md", "x" * 100),
        ("docs/glossary.md", "| a table " + "x" * 100),
        ("docs/glossary.md", "[a link](" + "x" * 100 + ")"),
        ("docs/glossary.md", "See\n" + "https://example.org/" + "x" * 100),
        ("docs/glossary.md", "```sh\n" + "x" * 101 + "\n```"),
        ("CHANGELOG.md", "- " + "x" * 118),
        ("rooms/rules.py", "x" * 200),
    ],
)
def test_what_cannot_be_broken_is_no_fault(name: str, text: str) -> None:
    assert list(faults(name, text)) == []


def test_a_planted_fault_fails_the_whole_check(tmp_path: Path) -> None:
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "page.html").write_text("<table><tr>\n", encoding="utf-8")
    (tmp_path / "var").mkdir()
    (tmp_path / "var" / "page.html").write_text("<table><tr>\n", encoding="utf-8")
    assert [fault.split(": ")[0] for fault in all_faults(tmp_path)] == ["templates/page.html:1"]

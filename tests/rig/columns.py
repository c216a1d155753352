"""Lines that are too long in scripts, style sheets, templates and Markdown, and templates not broken at elements.

`python -m tests.rig.columns` prints them and fails if there are any. Python has ruff for that.
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
SKIPPED = {"var", ".git", ".venv", ".pytest_cache", ".mypy_cache", ".ruff_cache", ".hypothesis"}
CODE, PROSE = 120, 100
#: Pages of Markdown that may have lines of 120: one line is one change.
LISTS = {"CHANGELOG.md"}

#: Elements that begin a block. A line of a template opens one of them at most.
BLOCKS = (
    "address|article|aside|blockquote|dd|details|dialog|div|dl|dt|fieldset|figure|footer|form|h[1-6]|header|hr|li|main"
    "|nav|ol|p|section|summary|table|tbody|td|tfoot|th|thead|tr|ul"
)
OPENS = re.compile(rf"<(?:{BLOCKS})\b")
COMMENT = re.compile(r"\{#.*?#\}")
LINK = re.compile(r"\]\([^)]*\)|<https?://[^>]*>|https?://\S+")
UNBREAKABLE = ("|", "<", "![", "    ")


def faults(name: str, text: str) -> Iterator[str]:
    """`name:line: what is wrong` for the file `name`, which has this text."""
    kind = Path(name).suffix
    if kind == ".md":
        yield from _long(name, _prose(text), CODE if name in LISTS else PROSE)
    elif kind in {".js", ".css", ".html"}:
        yield from _long(name, enumerate(text.splitlines(), 1), CODE)
    if kind == ".html":
        yield from _crowded(name, text)


def _long(name: str, lines: Iterator[tuple[int, str]], most: int) -> Iterator[str]:
    for number, line in lines:
        if len(line) > most:
            yield f"{name}:{number}: {len(line)} columns, {most} at most"


def _crowded(name: str, text: str) -> Iterator[str]:
    for number, line in enumerate(text.splitlines(), 1):
        if len(OPENS.findall(COMMENT.sub("", line))) > 1:
            yield f"{name}:{number}: opens more than one element, break the line between them"


def _prose(text: str) -> Iterator[tuple[int, str]]:
    """The lines that can be broken, without the targets of links. Tables, HTML, pictures and code cannot be."""
    in_code = False
    for number, line in enumerate(text.splitlines(), 1):
        if line.lstrip().startswith("```"):
            in_code = not in_code
        elif not in_code and not line.startswith(UNBREAKABLE):
            yield number, LINK.sub("]", line)


def files(root: Path = ROOT) -> Iterator[Path]:
    """Every file of the project, by name relative to `root`."""
    for path in sorted(root.rglob("*")):
        name = path.relative_to(root)
        if path.is_file() and not SKIPPED & set(name.parts):
            yield name


def all_faults(root: Path = ROOT) -> list[str]:
    kinds = {".md", ".js", ".css", ".html"}
    checked = [name for name in files(root) if name.suffix in kinds]
    return [fault for name in checked for fault in faults(str(name), (root / name).read_text(encoding="utf-8"))]


if __name__ == "__main__":
    sys.exit("\n".join(all_faults()) or 0)

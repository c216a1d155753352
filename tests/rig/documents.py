"""The pages of docs/operating/, and the configurations in them, which the tests run as they are printed.

Each stands under a mark of its own, `<!-- configuration: NAME -->`, in one of the pages.
"""

import re
from pathlib import Path

CHECKOUT = Path(__file__).parents[2]
FOLDER = CHECKOUT / "docs" / "operating"


def pages() -> list[Path]:
    """Every page for operators, in the order of their names."""
    return sorted(FOLDER.glob("*.md"))


def text() -> str:
    """All pages, one after the other."""
    return "\n".join(page.read_text(encoding="utf-8") for page in pages())


def configuration(name: str) -> str:
    """The lines of a configuration. AssertionError unless exactly one page has it, once."""
    mark = rf"^<!-- configuration: {re.escape(name)} -->\n```\w+\n(.*?)^```$"
    found = re.findall(mark, text(), re.DOTALL | re.MULTILINE)
    assert len(found) == 1, f"{len(found)} configurations are named {name}"
    return str(found[0])


def variables(name: str) -> dict[str, str]:
    """The `NAME=value` lines of a configuration."""
    return dict(line.split("=", 1) for line in configuration(name).splitlines())

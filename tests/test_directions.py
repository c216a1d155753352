"""Every text that people write stands apart from the words around it, whatever direction its letters have.

An element with `dir="auto"`, or `<bdi>`, keeps a name in Hebrew or Arabic from turning the sentence around it
(HTML, section 3.2.6.4).
"""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.rig.machine import CHECKOUT

TEMPLATES = sorted((CHECKOUT / "templates").rglob("*.html"))
WRITTEN = re.compile(r"\.(name|display_name|title|description|bio|text|reason)$")
OUR_OWN = {"form", "effect", "way"}  # a field of a form, and sentences of ours
MARK = "\ue000{}\ue001"
VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}


class Reader(HTMLParser):
    """Collects variables that stand in the text of an element without a direction of its own."""

    def __init__(self, names: list[str]) -> None:
        super().__init__(convert_charrefs=True)
        self.names, self.open = names, [("", False)]
        self.bare: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID:
            self.open.append((tag, tag == "bdi" or dict(attrs).get("dir") == "auto"))

    def handle_endtag(self, tag: str) -> None:
        if any(name == tag for name, _ in self.open):
            while self.open.pop()[0] != tag:
                pass

    def handle_data(self, data: str) -> None:
        if not self.open[-1][1] and self.open[-1][0] not in ("title", "textarea", "option"):
            self.bare += [self.names[int(number)] for number in re.findall("\ue000(\\d+)\ue001", data)]


def bare(text: str) -> list[str]:
    """Variables with texts of people that stand among other words."""
    text = re.sub(r"\{% comment %\}.*?\{% endcomment %\}|\{#.*?#\}", "", text, flags=re.DOTALL)
    text = re.sub(r"\{% block (head_)?title %\}.*?\{% endblock %\}", "", text, flags=re.DOTALL)  # text alone
    text = re.sub(r"\{% blocktrans(late)?\b.*?\{% endblocktrans(late)? %\}", "", text, flags=re.DOTALL)
    names: list[str] = []

    def marked(match: re.Match[str]) -> str:
        name = match[1].split("|")[0].strip()
        if not WRITTEN.search(name) or name.partition(".")[0] in OUR_OWN or "|initials" in match[1]:
            return ""
        names.append(name)
        return MARK.format(len(names) - 1)

    text = re.sub(r"\{%.*?%\}", "", re.sub(r"\{\{(.*?)\}\}", marked, text), flags=re.DOTALL)
    reader = Reader(names)
    reader.feed(text)
    return reader.bare


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: str(path.relative_to(CHECKOUT / "templates")))
def test_texts_of_people_have_a_direction_of_their_own(template: Path) -> None:
    assert bare(template.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("<p>{{ person.name }} speaks</p>", ["person.name"]),
        ('<p><b dir="auto">{{ person.name }}</b> speaks</p>', []),
        ("<p><bdi>{{ space.title|truncatechars:9 }}</bdi></p>", []),
        ('<a title="{{ space.title }}">{{ space.pk }}</a>', []),
        ('<p dir="auto"><b>{{ person.bio }}</b></p>', ["person.bio"]),
    ],
)
def test_a_bare_text_is_found(text: str, found: list[str]) -> None:
    assert bare(text) == found


def test_scripts_give_names_a_direction_too() -> None:
    pages = CHECKOUT / "rooms" / "static" / "rooms" / "page"
    lines = [line for path in pages.glob("*.js") for line in path.read_text(encoding="utf-8").splitlines()]
    shown = [line for line in lines if re.search(r'el\("\w+", \{.*?\}, \w*\.?name\)', line)]
    assert len(shown) >= 4
    assert [line for line in shown if 'dir: "auto"' not in line] == []

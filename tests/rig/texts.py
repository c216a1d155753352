"""Texts as the catalogues know them: read from code, templates and scripts, and from .po files, with Python alone."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from django.utils.translation.template import templatize

ROOT = Path(__file__).parents[2]
APPS = ("accounts", "rooms", "recordings", "moderation", "spaces_project")
ONE, MANY = {"_", "gettext", "gettext_lazy", "gettext_noop"}, {"ngettext", "ngettext_lazy"}
STRING = r'"(?:[^"\\]|\\.)*"'
QUOTED = rf"(?:{STRING}|'(?:[^'\\]|\\.)*')"
TEMPLATE_CALL = re.compile(rf"\b(?:n?gettext|_)\((?:u?{QUOTED}|[\s,\w])*\)")
JOINED = rf"{STRING}(?:\s*\+\s*{STRING})*"  # a long text of a script is joined from parts
JS_CALL = re.compile(rf"\b(n?gettext)\(\s*(?:({JOINED})\s*(?:,\s*({JOINED}))?)?")
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|\{\w+\}|%[sd]|</?\w+[^>]*>")


@dataclass(frozen=True)
class Message:
    """One entry: `msgid`, `plural` if it has forms, and the translations (none in code)."""

    msgid: str
    plural: str | None
    where: str
    translations: tuple[str, ...] = ()
    fuzzy: bool = False


def placeholders(text: str) -> list[str]:
    """What must be the same in every language: names to fill in, and elements."""
    return sorted(PLACEHOLDER.findall(text))


# In the code
def calls(source: str, where: str) -> Iterator[Message]:
    """Texts of Python source. Raises AssertionError if one is not a literal, which `make texts` could not collect."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ONE | MANY:
            count = 2 if node.func.id in MANY else 1
            texts = [argument.value for argument in node.args[:count] if isinstance(argument, ast.Constant)]
            assert len(texts) == count, f"{where}:{node.lineno} does not write its text out"
            yield Message(str(texts[0]), str(texts[1]) if count == 2 else None, f"{where}:{node.lineno}")


def in_python() -> Iterator[Message]:
    for app in APPS:
        for path in sorted((ROOT / app).rglob("*.py")):
            yield from calls(path.read_text(encoding="utf-8"), str(path.relative_to(ROOT)))


def in_templates() -> Iterator[Message]:
    """Django turns a template into calls between noise; the calls are Python."""
    for path in sorted((ROOT / "templates").rglob("*.*")):
        where = str(path.relative_to(ROOT))
        for found in TEMPLATE_CALL.findall(templatize(path.read_text(encoding="utf-8"), origin=where)):
            yield from calls(found, where)


def in_scripts() -> Iterator[Message]:
    for app in APPS:
        for path in sorted((ROOT / app).glob("static/**/*.js")):
            where = str(path.relative_to(ROOT))
            for function, one, many in JS_CALL.findall(path.read_text(encoding="utf-8")):
                assert [bool(one), bool(many)] == [True, function == "ngettext"], f"{where} does not write a text out"
                yield Message(whole(one), whole(many) if many else None, where)


def whole(text: str) -> str:
    """The text of a literal, or of literals joined by `+`."""
    return "".join(map(ast.literal_eval, re.findall(STRING, text)))


# In a catalogue
FIELD = re.compile(rf"^(msgid|msgid_plural|msgstr(?:\[\d\])?) ({STRING}(?:\n{STRING})*)", re.MULTILINE)


def catalogue(path: Path) -> list[Message]:
    """The entries of a .po file, without its header and without those that are commented out."""
    entries = []
    for block in path.read_text(encoding="utf-8").split("\n\n"):
        fields = [(name, "".join(map(ast.literal_eval, text.split("\n")))) for name, text in FIELD.findall(block)]
        known = dict(fields)
        if known.get("msgid"):
            translations = tuple(text for name, text in fields if name.startswith("msgstr"))
            fuzzy = re.search(r"^#,.*\bfuzzy\b", block, re.MULTILINE) is not None
            entries.append(Message(known["msgid"], known.get("msgid_plural"), path.name, translations, fuzzy))
    return entries

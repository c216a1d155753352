"""What the documents say of the code, as far as it can be asked."""

import re
from pathlib import Path

import pytest

from spaces_project import __version__
from tests.rig.machine import CHECKOUT
from tests.test_imports import ORDER

DOCS = CHECKOUT / "docs"
PAGES = sorted([*CHECKOUT.glob("*.md"), *DOCS.rglob("*.md"), *(CHECKOUT / ".github").rglob("*.md")])
ARCHITECTURE, GLOSSARY, INDEX = DOCS / "architecture.md", DOCS / "glossary.md", DOCS / "decisions" / "README.md"
DECISIONS = sorted((DOCS / "decisions").glob("[0-9]*.md"))
HEADINGS = ["Problem", "Decision", "Alternatives", "Measured", "Given up"]
NOT_DRAWN = {"  management", "  migrations", "  templatetags"}  # as in every Django app
IN_FORCE = ", in force\n"
FOLDERS = "accounts|bench|docs|locale|moderation|recordings|rooms|spaces_project|templates|tests"
CODE = re.compile(r"`([^`\n]+)`")
PATH = re.compile(rf"(?<![\w/.-])(?:{FOLDERS})/[\w./-]+")


def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def label(page: Path) -> str:
    return str(page.relative_to(CHECKOUT))


def paths_in(text: str) -> set[str]:
    """Files and folders of the project that stand in backticks, also in commands."""
    return {path.rstrip(".") for code in CODE.findall(text) for path in PATH.findall(code)}


def commands_in(text: str) -> list[str]:
    """What stands in backticks, and each line of a block of code."""
    blocks = "\n".join(re.findall(r"^```\w*\n(.*?)^```", text, re.MULTILINE | re.DOTALL))
    return [*CODE.findall(text), *blocks.splitlines()]


def test_the_table_of_signals_is_that_of_the_code() -> None:
    defined = {
        f"{path.parent.name}.signals.{name}"
        for path in CHECKOUT.glob("*/signals.py")
        for name in re.findall(r"^(\w+) = Signal\(\)", path.read_text(encoding="utf-8"), re.MULTILINE)
    }
    page = text_of(ARCHITECTURE)
    assert set(re.findall(r"^\| `(\w+\.signals\.\w+)` \|", page, re.MULTILINE)) == defined


def test_every_direct_requirement_has_its_reason() -> None:
    lines = text_of(CHECKOUT / "requirements.in").splitlines()
    named = {re.split(r"[\[<>=]", line)[0].lower() for line in lines if line and not line.startswith("#")}
    page = text_of(DOCS / "libraries.md").lower()
    assert {name for name in named if name not in page} == set()


def test_the_architecture_fits_on_a_few_screens() -> None:
    assert len(text_of(ARCHITECTURE).splitlines()) <= 150


def test_the_layers_of_the_apps_are_those_that_are_tested() -> None:
    assert f"`{' < '.join(ORDER)}`" in text_of(ARCHITECTURE)


def test_every_process_of_runspaces_has_its_row() -> None:
    source = text_of(CHECKOUT / "spaces_project" / "management" / "commands" / "runspaces.py")
    started = set(re.findall(r'Child\(\s*"(\w+)"', source)) - {"postgres", "redis"}
    rows = re.findall(r"^\| (\w+)", text_of(ARCHITECTURE).partition("## Tree")[0], re.MULTILINE)
    assert started >= {"web", "worker", "mixer", "beat"}
    assert started - set(rows) == set()


def test_the_tree_is_that_of_the_project() -> None:
    tree = text_of(ARCHITECTURE).partition("## Tree")[2].partition("## Layers")[0]
    drawn = {indent + name for indent, name in re.findall(r"^( {0,2})([\w/]+)/(?: |$)", tree, re.MULTILINE)}
    rooms = {f"  {path.name}" for path in (CHECKOUT / "rooms").iterdir() if (path / "__init__.py").exists()}
    assert drawn == rooms - NOT_DRAWN | {"  static/rooms", *ORDER, "templates"}


def test_the_architecture_names_many_paths() -> None:
    assert len(paths_in(text_of(ARCHITECTURE))) > 30


@pytest.mark.parametrize("page", sorted([*DOCS.glob("*.md"), *DOCS.glob("operating/*.md")]), ids=label)
def test_every_path_that_a_page_names_exists(page: Path) -> None:
    assert [path for path in sorted(paths_in(text_of(page))) if not (CHECKOUT / path).exists()] == []


@pytest.mark.parametrize("page", DECISIONS, ids=lambda page: page.stem)
def test_a_decision_has_its_parts_and_is_short(page: Path) -> None:
    lines = text_of(page).splitlines()
    assert [line.removeprefix("## ") for line in lines if line.startswith("## ")] == HEADINGS
    assert re.fullmatch(r"\d{4}-\d{2}-\d{2}, (in force|replaced by \d{3})", lines[2])
    assert len(lines) <= 60


def test_decisions_in_force_name_files_that_exist() -> None:
    in_force = [text for page in DECISIONS if IN_FORCE in (text := text_of(page))]
    named = {path for text in in_force for path in paths_in(text)}
    assert len(named) > 50
    assert [path for path in sorted(named) if not (CHECKOUT / path).exists()] == []


def test_the_index_has_every_decision_with_date_and_state() -> None:
    lines = [line for line in text_of(INDEX).splitlines() if re.match(r"\| \d", line)]
    rows = [tuple(cell.strip() for cell in line.strip("|").split("|")) for line in lines]
    written = []
    for page in DECISIONS:
        title, _, about, *_ = text_of(page).splitlines()
        date, _, state = about.partition(", ")
        written.append((page.stem[:3], f"[{title.removeprefix('# ')}]({page.name})", date, state))
    assert rows == written
    assert [row[0] for row in rows] == [f"{number:03}" for number in range(1, len(rows) + 1)]


def test_the_glossary_has_thirty_words_of_two_lines() -> None:
    entries = text_of(GLOSSARY).partition("\n- ")[2].rstrip().split("\n- ")
    words = [re.match(r"\*\*(.+?)\*\*: ", entry) for entry in entries if entry.count("\n") == 1]
    found = [word[1] for word in words if word]
    assert len(found) == len(entries) == 30
    assert found == sorted(found, key=str.lower)


def test_requirements_are_locked_with_hashes_and_without_addresses() -> None:
    for name in ("requirements.txt", "requirements-dev.txt"):
        text = (CHECKOUT / name).read_text(encoding="utf-8")
        pinned = re.findall(r"^[a-z0-9][\w.-]*==\S+ \\$", text, re.MULTILINE)
        assert len(pinned) > 50
        assert len(re.findall(r"^[a-z0-9]", text, re.MULTILINE)) == len(pinned), "every requirement has a hash"
        assert not re.search(r"https?://|file:/|--index|--find-links|/opt|@ ", text), name


def test_every_make_target_in_the_documents_exists() -> None:
    targets = set(re.findall(r"^([a-z]+):", (CHECKOUT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    commands = [command for page in PAGES for command in commands_in(text_of(page))]
    named = {found[1] for command in commands if (found := re.match(r"make ([a-z]+)", command))}
    assert {"run", "test"} <= named
    assert named - targets == set()


def test_every_command_is_named_on_a_page_for_operators() -> None:
    own = {path.stem for path in CHECKOUT.glob("*/management/commands/[a-z]*.py")}
    page = text_of(DOCS / "operating" / "watching.md")
    rows = dict(re.findall(r"^\| `(\w+)` \| `manage.py (\w+)[^|]*` \| \S", page, re.MULTILINE))
    assert rows == {name: name for name in own}


def test_contributing_names_every_marker_and_every_package() -> None:
    """The table of what needs what, against pyproject.toml and what CI installs."""
    table = text_of(CHECKOUT / "CONTRIBUTING.md").partition("## Commands")[0]
    markers = re.findall(r'^    "(browser|needs_\w+):', text_of(CHECKOUT / "pyproject.toml"), re.MULTILINE)
    installed = re.findall(r"missing\+=\((.+)\)", text_of(CHECKOUT / ".ci" / "run"))
    packages = {name for group in installed for name in group.split()}
    assert len(markers) > 4
    assert len(packages) > 8
    assert {name for name in {*markers, *packages} if not re.search(rf"[` ]{re.escape(name)}[` ]", table)} == set()


def test_security_names_the_version_that_gets_fixes() -> None:
    supported = re.findall(r"^\| (\d+\.\d+) \| yes", text_of(CHECKOUT / "SECURITY.md"), re.MULTILINE)
    assert supported == [__version__.rpartition(".")[0]]


def test_each_promise_of_security_names_its_tests() -> None:
    promised = text_of(CHECKOUT / "SECURITY.md").partition("## What is promised")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| ([A-Z].*?) \| (.+) \|$", promised, re.MULTILINE)
    assert len(rows) > 5
    for promise, beside in rows:
        tests = paths_in(beside)
        assert tests, promise
        assert [path for path in tests if not path.startswith("tests/") or not (CHECKOUT / path).is_file()] == []

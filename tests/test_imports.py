"""Imports go one way: accounts < rooms < recordings < moderation < spaces_project."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ORDER = ["accounts", "rooms", "recordings", "moderation", "spaces_project"]
# In rooms each of these folders and files imports only what stands to its left, and what all of them may import.
LAYERS = ["store", "events", "models", "nodes", "hls", "live"]
BELOW_LAYERS = ["loops", "media", "protocol", "ranges", "refusals", "rules", "signals"]
# The modules of rooms/media that all other code may import, and those that single files may import besides.
PUBLIC = {
    "contract",
    "units",
    "rate_limit",
    "capture.ogg",
    "capture.tap",
    "client",
    "hls.signature",
    "hls.leftovers",
    "sound.opus",
}
PUBLIC_TO = {
    "rooms/management/commands/runmedia.py": {"node", "settings", "priority"},
}
ENTRANCES = ["views", "api", "admin"]
WITHOUT_DJANGO = [
    "accounts/rules.py",
    "moderation/rules.py",
    "recordings/rules.py",
    "rooms/rules.py",
    "rooms/media",
    "recordings/mixing",
]
# What the templates of an app use of apps above it: parts of a page that are included, and nothing else.
INCLUDED_UPWARD = {("accounts/person.html", "rooms")}
NAMED_IN_TEMPLATES = re.compile(r"""["'](?:admin/)?(\w+)/[^"' ]+\.(?:html|css|js|svg)["']""")
LOADED = re.compile(r"{% load ([\w ]+) %}")
# Functions that may import: apps.ready() runs when the models are there, which the top of apps.py cannot wait for.
LATE = {"apps.py"}

# A QuerySet names the model whose rows it gives: the usual way in Django.
ONLY_FOR_TYPES = {
    ("accounts/people.py", "accounts.models"),
    ("accounts/models/relations.py", "accounts.models.user"),
    ("accounts/models/leaving.py", "accounts.models.user"),
}


def sources(*folders: str) -> list[Path]:
    found: list[Path] = []
    for folder in folders:
        path = ROOT / folder
        found += [path] if path.is_file() else sorted(path.rglob("*.py"))
    return found


def imported(node: ast.AST, path: Path) -> Iterator[str]:
    """Full names of the modules that a statement of the file `path` imports."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom) and node.level:
        package = path.relative_to(ROOT).parent.parts
        yield ".".join([*package[: len(package) - node.level + 1], *([node.module] if node.module else [])])
    elif isinstance(node, ast.ImportFrom):
        yield node.module or ""


def imports(path: Path) -> Iterator[tuple[int, str]]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        yield from ((node.lineno, name) for name in imported(node, path))  # type: ignore[attr-defined]


def label(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("app", ORDER)
def test_an_app_imports_only_what_stands_to_its_left(app: str) -> None:
    above = set(ORDER[ORDER.index(app) + 1 :])
    wrong = [
        f"{label(path)}:{line} imports {name}"
        for path in sources(app)
        for line, name in imports(path)
        if name.split(".")[0] in above
    ]
    assert wrong == []


def used_in_template(text: str) -> set[str]:
    """The apps whose templates, static files and tag libraries a template uses."""
    libraries = {path.stem: app for app in ORDER for path in (ROOT / app / "templatetags").glob("*.py")}
    loaded = {libraries.get(name, "") for names in LOADED.findall(text) for name in names.split()}
    return loaded | set(NAMED_IN_TEMPLATES.findall(text))


@pytest.mark.parametrize("app", ["accounts", "rooms", "recordings", "moderation"])
def test_templates_of_an_app_use_only_what_stands_to_its_left(app: str) -> None:
    """The frame of the site is above all apps, and all may use it: its tags, `base.html` and `includes/`."""
    above = set(ORDER[ORDER.index(app) + 1 : -1])
    folder = ROOT / "templates"
    paths = [*(folder / app).rglob("*.html"), *(folder / "admin" / app).rglob("*.html")]
    found = {
        (str(path.relative_to(folder)), other)
        for path in paths
        for other in used_in_template(path.read_text(encoding="utf-8")) & above
    }
    assert found == {one for one in INCLUDED_UPWARD if one[0].startswith(f"{app}/")}


@pytest.mark.parametrize(
    "line", ["{% load i18n spaces %}", "{% static 'rooms/app.js' %}", '{% include "rooms/_card.html" with a=b %}']
)
def test_what_a_template_uses_is_found(line: str) -> None:
    assert "rooms" in used_in_template(f"{{% load i18n %}}\n{line}")


def parts_of_rooms(path: Path) -> Iterator[tuple[int, str]]:
    """The folders and files of rooms that `path` imports from, also in functions and for types only."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = list(imported(node, path))
        if isinstance(node, ast.ImportFrom):
            names = [f"{name}.{alias.name}" for name in names for alias in node.names]
        yield from ((node.lineno, name.split(".")[1]) for name in names if name.startswith("rooms."))  # type: ignore[attr-defined]


@pytest.mark.parametrize("layer", [*BELOW_LAYERS, *LAYERS])
def test_a_layer_of_rooms_imports_only_what_stands_to_its_left(layer: str) -> None:
    allowed = {*BELOW_LAYERS, *(LAYERS[: LAYERS.index(layer) + 1] if layer in LAYERS else ())}
    paths = [path for name in (layer, f"{layer}.py") if (path := ROOT / "rooms" / name).exists()]
    found = [(path, line, part) for path in sources(*map(label, paths)) for line, part in parts_of_rooms(path)]
    assert paths
    assert [f"{label(path)}:{line} imports {part}" for path, line, part in found if part not in allowed] == []


def is_one_of(module: str, public: set[str]) -> bool:
    """Whether this module of rooms.media is one of those that are public, or inside one."""
    return any(f"{module}.".startswith(f"rooms.media.{part}.") for part in public)


def media_imports(path: Path) -> Iterator[tuple[int, str]]:
    """Lines and full names of the modules of rooms.media that the file imports."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = list(imported(node, path))
        if isinstance(node, ast.ImportFrom):
            longer = [f"{names[0]}.{alias.name}" for alias in node.names]
            names = [name if is_module(name) else names[0] for name in longer]
        yield from ((node.lineno, name) for name in names if f"{name}.".startswith("rooms.media."))  # type: ignore[attr-defined]


def is_module(name: str) -> bool:
    path = ROOT.joinpath(*name.split("."))
    return path.is_dir() or path.with_suffix(".py").is_file()


def test_other_code_imports_only_the_public_modules_of_the_media_node() -> None:
    others = [path for path in sources(*ORDER) if "rooms/media/" not in label(path)]
    wrong = [
        f"{label(path)}:{line} imports {name}"
        for path in others
        for line, name in media_imports(path)
        if not is_one_of(name, PUBLIC | PUBLIC_TO.get(label(path), set()))
    ]
    assert wrong == []


def test_every_public_module_is_used() -> None:
    """A module that no other code imports has to become private again."""
    others = [path for path in sources(*ORDER) if "rooms/media/" not in label(path)]
    used = {(label(path), name) for path in others for _, name in media_imports(path)}
    assert [part for part in PUBLIC if not any(is_one_of(name, {part}) for _, name in used)] == []
    private = [(file, part) for file, parts in PUBLIC_TO.items() for part in parts]
    assert [one for one in private if not any(f == one[0] and is_one_of(name, {one[1]}) for f, name in used)] == []


@pytest.mark.parametrize("part", WITHOUT_DJANGO)
def test_the_sound_and_the_rules_know_no_django(part: str) -> None:
    """They are usable and testable alone, and the media node carries no ORM: asked of a fresh interpreter."""
    code = "import importlib, sys\n"
    code += f"for name in {[module_name(path) for path in sources(part)]!r}: importlib.import_module(name)\n"
    code += "print(sorted({'django', 'channels', 'celery', 'rest_framework'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "[]", done.stdout + done.stderr


@pytest.mark.parametrize("app", ORDER)
def test_imports_stand_at_the_top_of_the_file(app: str) -> None:
    wrong = []
    for path in sources(app):
        if path.name in LATE or "migrations" in path.parts:
            continue
        for function in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
                late = [name for node in ast.walk(function) for name in imported(node, path)]
                wrong += [f"{label(path)}:{function.lineno} {function.name} imports {name}" for name in late]
    assert wrong == []


@pytest.mark.parametrize("app", ORDER)
def test_entrances_import_no_other_entrance(app: str) -> None:
    """Pages, API and admin ask the models for what they share."""
    entrances = {module_name(path): path for name in ENTRANCES if (path := ROOT / app / f"{name}.py").exists()}
    wrong = {name: top_level_imports(path, entrances) - {name} for name, path in entrances.items()}
    assert {name: others for name, others in wrong.items() if others} == {}


def test_no_module_imports_private_names_of_another() -> None:
    wrong = [
        f"{label(path)}:{node.lineno} imports {alias.name} of {node.module}"
        for path in sources(*ORDER, "bench")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
        if alias.name.startswith("_") and not alias.name.startswith("__")
    ]
    assert wrong == []


def imported_for_types(path: Path) -> Iterator[str]:
    """Modules that `path` imports under `if TYPE_CHECKING`."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            yield from (name for line in node.body for name in imported(line, path))


@pytest.mark.parametrize("app", ["accounts", "recordings", "moderation", "spaces_project"])
def test_nothing_names_what_stands_above_it_even_for_types(app: str) -> None:
    found = {(label(path), name) for path in sources(app) for name in imported_for_types(path)}
    assert found <= ONLY_FOR_TYPES


def circle(graph: dict[str, set[str]]) -> list[str]:
    """One circle of modules that import each other, or an empty list."""
    done: set[str] = set()

    def walk(module: str, way: list[str]) -> list[str]:
        if module in way:
            return way[way.index(module) :]
        if module in done:
            return []
        for other in sorted(graph[module]):
            if found := walk(other, [*way, module]):
                return found
        done.add(module)
        return []

    return next((found for module in graph if (found := walk(module, []))), [])


def module_name(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def top_level_imports(path: Path, known: dict[str, Path]) -> set[str]:
    """Modules of ours that `path` imports when it is loaded, not for types only and not in functions."""
    found: set[str] = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        for module in imported(node, path):
            found.add(module)
            if isinstance(node, ast.ImportFrom):
                found |= {f"{module}.{alias.name}" for alias in node.names}
    return found & set(known)


def test_no_circle_of_modules() -> None:
    known = {module_name(path): path for path in sources(*ORDER)}
    packages = {name for name, path in known.items() if path.name == "__init__.py"}
    graph = {}
    for name, path in known.items():
        # A module inside a package whose __init__ gathers it does not import that package again.
        own = {package for package in packages if name.startswith(f"{package}.")}
        graph[name] = top_level_imports(path, known) - own - {name}
    assert circle(graph) == []


def test_a_circle_would_be_found() -> None:
    assert circle({"a": {"b"}, "b": {"c"}, "c": {"b"}}) == ["b", "c"]
    assert circle({"a": {"b", "c"}, "b": {"c"}, "c": set()}) == []

"""Modules of JavaScript import one way: frame < wire < {sound, hls, microphone} < space < page < app."""

import re
from pathlib import Path

import pytest

from spaces_project.templatetags.frame import MODULES, module_names
from tests.test_imports import circle

LAYERS = [{"frame"}, {"wire"}, {"sound", "hls", "microphone"}, {"space"}, {"page"}, {"app"}]
LEVEL = {group: level for level, groups in enumerate(LAYERS) for group in groups}
NAMES = re.compile(r'^import \{([^}]*)\} from "([^"]+)"', re.MULTILINE)
EXPORTS = re.compile(r"^export (?:(?:async )?(?:const|let|function|class) (\w+)|\{([^}]*)\})", re.MULTILINE)
IMPORT = re.compile(r'^(?:import|export)\b[^;]*?\bfrom "([^"]+)"|\bimport\("([^"]+)"\)|^import "([^"]+)"', re.MULTILINE)

LINES = 120


def text_of(module: str) -> str:
    folder, _, rest = module.partition("/")
    return (MODULES[folder] / rest).read_text(encoding="utf-8")


def group(module: str) -> str:
    """`rooms/wire/state.js` belongs to `wire`, `frame/dom.js` to `frame`, `rooms/app.js` to `app`."""
    folder, *rest = module.removesuffix(".js").split("/")
    return folder if folder == "frame" else rest[0]


def imported(text: str) -> list[str]:
    return [next(filter(None, found)) for found in IMPORT.findall(text)]


def wrong_way(module: str, text: str) -> list[str]:
    """The modules that `module` may not import: of groups to its right, or beside its own."""
    mine = group(module)
    return [other for other in imported(text) if group(other) != mine and LEVEL[group(other)] >= LEVEL[mine]]


@pytest.mark.parametrize("module", module_names())
def test_a_module_imports_only_its_own_group_and_groups_to_its_left(module: str) -> None:
    assert wrong_way(module, text_of(module)) == []


@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("rooms/wire/state.js", 'import { Bar } from "rooms/page/bar.js";'),
        ("rooms/hls/files.js", 'export { Sound } from "rooms/sound/sound.js";'),
        ("frame/dom.js", 'const { state } = await import("rooms/wire/state.js");'),
        ("rooms/page/bar.js", 'import {\n  start,\n} from "rooms/app.js";'),
        ("rooms/space/room.js", 'import "rooms/page/bar.js";'),
    ],
)
def test_an_import_the_wrong_way_is_found(module: str, line: str) -> None:
    assert wrong_way(module, f'/** Words. */\nimport {{ el }} from "frame/dom.js";\n{line}\n') != []


def test_every_import_names_a_module() -> None:
    named = {other for module in module_names() for other in imported(text_of(module))}
    assert named - set(module_names()) == set()


def exported(text: str) -> set[str]:
    return {name for one, several in EXPORTS.findall(text) for name in re.findall(r"\w+", one or several)}


@pytest.mark.parametrize("module", module_names())
def test_a_module_imports_only_names_that_the_other_exports(module: str) -> None:
    """A browser refuses the whole page for one wrong name."""
    named = [(name, other) for names, other in NAMES.findall(text_of(module)) for name in re.findall(r"\w+", names)]
    assert [(name, other) for name, other in named if name not in exported(text_of(other))] == []


def test_no_circle_of_modules() -> None:
    assert circle({module: set(imported(text_of(module))) for module in module_names()}) == []


@pytest.mark.parametrize("module", module_names())
def test_a_module_is_short_and_says_what_it_is(module: str) -> None:
    text = text_of(module)
    assert text.startswith("/** ")
    assert text.count("\n") <= LINES


@pytest.mark.parametrize("folder", sorted({path.parent for base in MODULES.values() for path in base.rglob("*.js")}))
def test_a_folder_holds_few_modules(folder: Path) -> None:
    assert len(list(folder.glob("*.js"))) <= 16

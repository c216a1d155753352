"""What the tags of the site's frame write: import map, icons, initials, moments."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.conf import LazySettings, settings
from django.contrib.staticfiles.storage import staticfiles_storage
from django.template import Context, Template
from django.test import RequestFactory
from django.utils import translation

from spaces_project.templatetags import frame


def written(text: str, **context: object) -> str:
    return Template("{% load frame %}" + text).render(Context(context))


def imports(html: str) -> dict[str, str]:
    found = re.search(r">(.*)</script>", html)
    assert found
    return dict(json.loads(found[1])["imports"])


def module_path(name: str) -> Path:
    group, rest = name.split("/", 1)
    return frame.MODULES[group] / rest


def test_the_import_map_names_every_module_and_carries_the_nonce(rf: RequestFactory) -> None:
    request = rf.get("/")
    request.csp_nonce = "abc"  # type: ignore[attr-defined]
    html = written("{% importmap %}", request=request)
    assert html.startswith('<script type="importmap" nonce="abc">')
    assert imports(html)["rooms/wire/state.js"] == "/static/rooms/wire/state.js"
    assert len(imports(html)) == sum(len(list(folder.rglob("*.js"))) for folder in frame.MODULES.values())


def test_the_import_map_has_hashed_names_if_the_storage_hashes(settings: LazySettings) -> None:
    manifest = {"BACKEND": "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"}
    settings.STORAGES = settings.STORAGES | {"staticfiles": manifest}
    settings.DEBUG = False
    paths = {name: f"{name.removesuffix('.js')}.0123456789ab.js" for name in frame.module_names()}
    staticfiles_storage.hashed_files = paths  # type: ignore[attr-defined]
    assert imports(written("{% importmap %}"))["rooms/wire/state.js"] == "/static/rooms/wire/state.0123456789ab.js"


@pytest.mark.parametrize("module", frame.module_names())
def test_modules_import_each_other_by_the_names_of_the_map(module: str) -> None:
    source = module_path(module).read_text(encoding="utf-8")
    wanted = set(re.findall(r'^import .* from "([^"]+)";$', source, re.MULTILINE))
    assert wanted <= set(frame.module_names())
    assert "innerHTML" not in source.replace('swap: "innerHTML"', "").replace("without innerHTML", "")


def test_every_icon_that_is_used_is_drawn() -> None:
    sprite = (frame.MODULES["frame"] / "icons.svg").read_text(encoding="utf-8")
    sources = [module_path(name).read_text(encoding="utf-8") for name in frame.module_names()]
    sources += [path.read_text(encoding="utf-8") for path in (settings.BASE_DIR / "templates").rglob("*.html")]
    used = re.findall(r'(?:icon\(|\{% icon |drawing: )"([a-z-]+)"', "\n".join(sources))
    assert used
    assert {name for name in used if f'id="{name}"' not in sprite} == set()


def test_an_icon_is_decoration_unless_it_has_words() -> None:
    assert 'aria-hidden="true"' in written('{% icon "mic" %}')
    assert 'aria-label="&lt;mic&gt;"' in written('{% icon "mic" label %}', label="<mic>")


@pytest.mark.parametrize(("name", "letters"), [("Hana Mori", "HM"), ("sol", "S"), ("  ", "?"), ("Ada B. Cruz", "AC")])
def test_initials(name: str, letters: str) -> None:
    assert frame.initials(name) == letters


@pytest.mark.parametrize(("language", "said"), [("en", "March 4, 2026, 5:30 p.m."), ("de", "4. März 2026 17:30")])
def test_a_moment_is_shown_in_utc_and_carries_what_the_script_needs(language: str, said: str) -> None:
    when = datetime(2026, 3, 4, 17, 30, tzinfo=UTC)
    with translation.override(language):
        html = written("{{ when|moment }}", when=when)
    assert html == f'<time datetime="2026-03-04T17:30:00+00:00" data-view="moment">{said} (UTC)</time>'

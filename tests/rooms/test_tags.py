"""What the template tags of the pages write: import map, icons, faces, facts."""

import json
import re
from datetime import UTC, datetime, timedelta

import pytest
from django.conf import LazySettings
from django.contrib.staticfiles.storage import staticfiles_storage
from django.template import Context, Template
from django.test import RequestFactory
from django.utils import translation

from accounts.models import User
from rooms import rules
from rooms.models import Space
from rooms.templatetags import spaces


def written(text: str, **context: object) -> str:
    return Template("{% load spaces %}" + text).render(Context(context))


def imports(html: str) -> dict[str, str]:
    found = re.search(r">(.*)</script>", html)
    assert found
    return dict(json.loads(found[1])["imports"])


def test_the_import_map_names_every_module_and_carries_the_nonce(rf: RequestFactory) -> None:
    request = rf.get("/")
    request.csp_nonce = "abc"  # type: ignore[attr-defined]
    html = written("{% importmap %}", request=request)
    assert html.startswith('<script type="importmap" nonce="abc">')
    assert imports(html)["rooms/wire/state.js"] == "/static/rooms/state.js"
    assert len(imports(html)) == len(list(spaces.MODULES.glob("*.js")))


def test_the_import_map_has_hashed_names_where_the_storage_hashes(settings: LazySettings) -> None:
    manifest = {"BACKEND": "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"}
    settings.STORAGES = settings.STORAGES | {"staticfiles": manifest}
    settings.DEBUG = False
    paths = {f"rooms/{name}": f"rooms/{name.removesuffix('.js')}.0123456789ab.js" for name in spaces.module_names()}
    staticfiles_storage.hashed_files = paths  # type: ignore[attr-defined]
    assert imports(written("{% importmap %}"))["rooms/wire/state.js"] == "/static/rooms/state.0123456789ab.js"


@pytest.mark.parametrize("module", spaces.module_names())
def test_modules_import_each_other_by_the_names_of_the_map(module: str) -> None:
    source = (spaces.MODULES / module).read_text(encoding="utf-8")
    wanted = set(re.findall(r'^import .* from "([^"]+)";$', source, re.MULTILINE))
    assert wanted <= {f"rooms/{name}" for name in spaces.module_names()}
    assert "innerHTML" not in source.replace('swap: "innerHTML"', "").replace("without innerHTML", "")


def test_every_icon_that_is_used_is_drawn() -> None:
    sprite = (spaces.MODULES / "icons.svg").read_text(encoding="utf-8")
    sources = [path.read_text(encoding="utf-8") for path in spaces.MODULES.glob("*.js")]
    templates = spaces.MODULES.parents[2] / "templates"
    sources += [path.read_text(encoding="utf-8") for path in templates.rglob("*.html")]
    used = re.findall(r'(?:icon\(|\{% icon |drawing: )"([a-z-]+)"', "\n".join(sources))
    assert used
    assert {name for name in used if f'id="{name}"' not in sprite} == set()


def test_an_icon_is_decoration_unless_it_has_words() -> None:
    assert 'aria-hidden="true"' in written('{% icon "mic" %}')
    assert 'aria-label="&lt;mic&gt;"' in written('{% icon "mic" label %}', label="<mic>")


@pytest.mark.parametrize(("name", "letters"), [("Hana Mori", "HM"), ("sol", "S"), ("  ", "?"), ("Ada B. Cruz", "AC")])
def test_initials(name: str, letters: str) -> None:
    assert spaces.initials(name) == letters


@pytest.mark.parametrize(("seconds", "words"), [(-3, "0:00"), (42, "0:42"), (725, "12:05"), (3800, "1:03:20")])
def test_clock(seconds: int, words: str) -> None:
    assert spaces.clock(timedelta(seconds=seconds)) == words


def test_facts_hold_the_table_of_rules() -> None:
    facts = spaces.page_facts()
    assert facts["rules"]["host"] == [action.value for action in rules.allowed(rules.Role.HOST)]
    assert "end" not in facts["rules"]["listener"]
    assert facts["targets"]["mute"] == ["speaker"]
    assert json.dumps(facts)


def test_a_profile_shows_the_live_space_only_to_whoever_may_enter(tea: Space, hana: User, sol: User, dee: User) -> None:
    text = '{% include "rooms/live_now.html" %}'
    assert tea.title in written(text, person=hana, user=sol)
    assert tea.title not in written(text, person=hana, user=dee)


@pytest.mark.parametrize(("language", "said"), [("en", "March 4, 2026, 5:30 p.m."), ("de", "4. März 2026 17:30")])
def test_a_moment_is_told_in_utc_and_carries_what_the_script_needs(language: str, said: str) -> None:
    when = datetime(2026, 3, 4, 17, 30, tzinfo=UTC)
    with translation.override(language):
        html = written("{{ when|moment }}", when=when)
    assert html == f'<time datetime="2026-03-04T17:30:00+00:00" data-view="moment">{said} (UTC)</time>'

"""Every text is there in German, whole, and what the pages and sockets say is in the language of the reader."""

import gettext
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import allauth
import pytest
from django.conf import settings
from django.test import Client
from django.utils import translation

from accounts.models import User
from tests.rig import texts
from tests.rig.texts import ROOT, Message, catalogue, placeholders

LOCALE = ROOT / "locale"
GERMAN = LOCALE / "de" / "LC_MESSAGES"
FOREIGN = sorted((LOCALE / "allauth").rglob("*.po"))  # allauth's texts that do not fit our pages
CATALOGUES = sorted(LOCALE.rglob("*.po"))
HINT = "`make texts` collects what changed; then complete the .po and run it again"


def name(path: Path) -> str:
    return str(path.relative_to(LOCALE))


def code(domain: str) -> Iterator[Message]:
    if domain == "djangojs":
        return texts.in_scripts()
    return (message for found in (texts.in_python(), texts.in_templates()) for message in found)


@pytest.mark.parametrize("domain", ["django", "djangojs"])
def test_the_catalogue_has_what_the_code_says_and_nothing_else(domain: str) -> None:
    said = {(message.msgid, message.plural): message.where for message in code(domain)}
    known = {(message.msgid, message.plural) for message in catalogue(GERMAN / f"{domain}.po")}
    singles = {msgid for msgid, _ in known}
    missing = [f"{where}: {msgid}" for (msgid, plural), where in said.items() if (msgid, plural) not in known]
    missing = [line for line in missing if line.split(": ", 1)[1] not in singles]  # one form of a pair is enough
    assert missing == [], HINT
    assert singles - {msgid for msgid, _ in said} == set(), HINT


@pytest.mark.parametrize("path", CATALOGUES, ids=name)
def test_nothing_is_untranslated_doubtful_or_twice(path: Path) -> None:
    messages = catalogue(path)
    assert [message.msgid for message in messages if message.fuzzy] == []
    forms = [(message.msgid, 2 if message.plural else 1, message.translations) for message in messages]
    assert [msgid for msgid, count, said in forms if len(said) != count or not all(said)] == []
    assert [msgid for msgid, times in Counter(message.msgid for message in messages).items() if times > 1] == []


@pytest.mark.parametrize("path", CATALOGUES, ids=name)
def test_what_is_filled_in_is_the_same_in_both_languages(path: Path) -> None:
    wrong = [
        f"{said!r} for {message.msgid!r}"
        for message in catalogue(path)
        for said in message.translations
        if placeholders(said) != placeholders(message.plural or message.msgid)
    ]
    assert wrong == []


@pytest.mark.parametrize("path", CATALOGUES, ids=name)
def test_german_says_du_and_writes_german_marks(path: Path) -> None:
    said = [text for message in catalogue(path) for text in message.translations]
    assert [text for text in said if re.search(r"(?<![.?!:] )(?<!^)\b(Sie|Ihnen|Ihr|Ihre[mnrs]?)\b", text)] == []
    assert [text for text in said if re.search(r"\w…|“\w|''", text)] == []


@pytest.mark.parametrize("path", CATALOGUES, ids=name)
def test_the_compiled_catalogue_says_what_the_source_says(path: Path) -> None:
    with path.with_suffix(".mo").open("rb") as file:
        compiled = gettext.GNUTranslations(file)
    for message in catalogue(path):
        if message.plural:
            forms = tuple(compiled.ngettext(message.msgid, message.plural, number) for number in (1, 2))
            assert forms == message.translations, HINT
        else:
            assert (compiled.gettext(message.msgid),) == message.translations, HINT
    entries = sum(2 if message.plural else 1 for message in catalogue(path))
    assert len(compiled._catalog) - 1 == entries, HINT  # type: ignore[attr-defined]


@pytest.mark.parametrize("path", CATALOGUES, ids=name)
def test_a_catalogue_names_no_machine_and_no_day(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert re.search(r"^#:|Creation-Date|Revision-Date", text, re.MULTILINE) is None, HINT


@pytest.mark.parametrize("path", FOREIGN, ids=name)
def test_texts_of_allauth_that_we_replace_are_still_its_texts(path: Path) -> None:
    theirs = Path(allauth.__file__).parent / "locale" / "de" / "LC_MESSAGES" / "django.po"
    known = {message.msgid for message in catalogue(theirs)}
    assert [message.msgid for message in catalogue(path) if message.msgid not in known] == []


# Which language


def test_a_text_that_is_not_written_out_is_found() -> None:
    with pytest.raises(AssertionError, match="does not write its text out"):
        list(texts.calls('_("a " + name)', "x.py"))


@pytest.mark.django_db
@pytest.mark.parametrize(("language", "title"), [("de-AT,de;q=0.9", "Anmelden"), ("fr", "Log in"), ("en", "Log in")])
def test_the_browser_chooses_the_language(client: Client, language: str, title: str) -> None:
    page = client.get("/accounts/login/", headers={"accept-language": language}).content.decode()
    assert f'<html lang="{"de" if title == "Anmelden" else "en"}">' in page
    assert f"<h1>{title}</h1>" in page


def test_a_member_switches_the_language(log_in: Callable[[User], Client], hana: User) -> None:
    browser = log_in(hana)
    answer = browser.post("/language/", {"language": "de", "next": "/me/profile/"}, headers={"accept-language": "en"})
    assert answer.headers["Location"] == "/me/profile/"
    page = browser.get("/me/profile/", headers={"accept-language": "en"}).content.decode()
    assert '<html lang="de">' in page
    assert "Einstellungen" in page
    assert 'value="en" lang="en"' in page


def test_numbers_are_written_as_the_reader_writes_them(log_in: Callable[[User], Client], hana: User) -> None:
    User.objects.filter(pk=hana.pk).update(follower_count=12345)
    browser = log_in(hana)
    german = browser.get("/people/hana/", headers={"accept-language": "de"}).content.decode()
    assert "<b>12.345</b> Follower" in german
    assert "<b>12,345</b> followers" in browser.get("/people/hana/").content.decode()


def test_scripts_get_their_german(client: Client) -> None:
    answer = client.get("/jsi18n/", headers={"accept-language": "de"}).content.decode()
    newcatalog = re.search(r"const newcatalog = (\{.*?\});", answer, re.DOTALL)
    assert newcatalog is not None
    served = json.loads(newcatalog[1])
    for message in catalogue(GERMAN / "djangojs.po"):
        expected = list(message.translations) if message.plural else message.translations[0]
        assert served[message.msgid] == expected


def test_allauth_speaks_german_and_says_du(client: Client, db: None) -> None:
    answer = client.post("/accounts/signup/", {"password1": "x"}, headers={"accept-language": "de"}).content.decode()
    assert "Dieses Passwort ist zu kurz" in answer
    with translation.override("de"):
        assert translation.gettext("Are you sure?") == "Bist du sicher?"
    assert settings.LANGUAGE_CODE == "en"

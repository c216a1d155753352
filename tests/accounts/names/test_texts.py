"""Texts that members and staff write: what is refused, what scripts and emoji need, and how it is counted."""

import unicodedata

import pytest
from django import forms
from django.core.exceptions import ValidationError
from hypothesis import given
from hypothesis import strategies as st

from accounts.names.fields import PlainTextField
from accounts.names.texts import browser_length, plain_text

FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467"
ENGLAND = "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f"
UNSEEN = {
    "nul": "\0",
    "escape": "\x1b",
    "next line": "\x85",
    "soft hyphen": "\u00ad",
    "grapheme joiner": "\u034f",
    "arabic letter mark": "\u061c",
    "hangul fillers": "\u115f",
    "jungseong filler": "\u1160",
    "khmer inherent vowel": "\u17b4",
    "mongolian selector": "\u180b",
    "mongolian vowel separator": "\u180e",
    "zero width space": "\u200b",
    "zero width non-joiner": "\u200c",
    "zero width joiner": "\u200d",
    "right-to-left mark": "\u200f",
    "line separator": "\u2028",
    "right-to-left override": "\u202e",
    "word joiner": "\u2060",
    "isolate": "\u2067",
    "blank braille": "\u2800",
    "hangul filler": "\u3164",
    "private use": "\ue000",
    "variation selector 1": "\ufe00",
    "emoji style": "\ufe0f",
    "byte order mark": "\ufeff",
    "half-width filler": "\uffa0",
    "object": "\ufffc",
    "noncharacter": "\uffff",
    "lone surrogate": "\ud800",
    "null notehead": "\U0001d159",
    "tag": "\U000e0041",
    "ideographic variation": "\U000e0100",
    "unassigned": "\u0378",
}


def code_of(text: str, **kinds: bool) -> str:
    with pytest.raises(ValidationError) as refused:
        plain_text(text, **kinds)
    return str(refused.value.code)


@pytest.mark.parametrize("character", UNSEEN.values(), ids=UNSEEN)
@pytest.mark.parametrize("text", ["%s", "Han%sa", "Hana%s", "%sHana"])
def test_what_nobody_sees_is_refused(text: str, character: str) -> None:
    assert code_of(text % character) in ("text_characters", "text_marks")


@pytest.mark.parametrize(
    "text",
    [
        "Hana Mori",
        "J\u00fcrgen",
        "\u0646\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",  # Persian, ZWNJ between letters
        "\u0dc1\u0dca\u200d\u0dbb\u0dd3",  # Sinhala, ZWJ after a virama
        "\u0d05\u0d28\u0d3f\u0d32\u0d4d\u200d",  # Malayalam, a name that ends in virama and ZWJ
        unicodedata.normalize("NFC", "\u091c\u093c\u0941\u0902\u092c\u093e"),  # Hindi, three marks on one letter
        unicodedata.normalize("NFC", "\u05e9\u05bc\u05c1\u05b8\u05dc\u05d5\u05b9\u05dd"),  # pointed Hebrew
        "\u1019\u103c\u103d\u103e\u1031\u1037",  # Burmese
        "\u0f66\u0f92\u0fb2\u0f74\u0f56",  # Tibetan
        "\u0e1c\u0e39\u0e49\u0e43\u0e2b\u0e0d\u0e48",  # Thai, vowel and tone
        FAMILY,
        ENGLAND,
        "\U0001f1e9\U0001f1ea",
        "\u2764\ufe0f\u200d\U0001f525",
        "\U0001f44b\U0001f3fd",
        "\U0001f642\u200d\u2194\ufe0f",
        "1\ufe0f\u20e3",
        "\U0001fae9",  # an emoji that is newer than this Python's Unicode
        "\ufdfd",
    ],
)
def test_what_scripts_and_emoji_need_stays(text: str) -> None:
    assert plain_text(text, required=True) == text


def test_text_is_in_nfc_with_even_spaces() -> None:
    assert plain_text("  A\u0301ngel \u00a0 Duo ") == "\u00c1ngel Duo"


@pytest.mark.parametrize("text", ["a\u0321\u030d\u0489", "a" + "\u030d\u0315" * 40, "\u0e01" + "\u0e47" * 5])
def test_towers_of_marks_are_refused(text: str) -> None:
    assert code_of(text) == "text_marks"


@pytest.mark.parametrize("gap", ["\u200d", "\u200c"])
def test_a_joiner_does_not_begin_a_new_tower(gap: str) -> None:
    letter = "\u0628\u064e"
    with pytest.raises(ValidationError):
        plain_text(letter + (gap + "\u064e") * 8 + "\u0628")


@pytest.mark.parametrize("text", ["\u0301", "\u0301Hana", " \u0301", "Hana \u0301"])
def test_an_accent_on_nothing_is_refused(text: str) -> None:
    assert code_of(text) == "text_marks"


@pytest.mark.parametrize("text", ["", "  ", "\u3000"])
def test_a_required_text_shows_something(text: str) -> None:
    assert code_of(text, required=True) == "text_invisible"


def test_line_ends_are_for_texts_of_lines() -> None:
    assert plain_text("one\r\ntwo\rthree\u2028four\tfive\n", lines=True) == "one\ntwo\nthree\nfour five"
    assert code_of("one\ntwo") == "text_characters"


def test_length_is_that_of_the_browser() -> None:
    assert browser_length("a\r\nb") == 3
    assert browser_length("\U0001f44b") == 2


def test_a_field_counts_a_line_end_once() -> None:
    field = PlainTextField(max_length=5, widget=forms.Textarea)
    assert field.clean("ab\r\ncd") == "ab\ncd"
    with pytest.raises(ValidationError):
        field.clean("ab\r\ncde")


def test_a_field_refuses_what_nobody_sees() -> None:
    with pytest.raises(ValidationError):
        PlainTextField(required=False).clean("Tea \u202e")


@given(st.text())
def test_what_is_taken_is_stable_and_composed(text: str) -> None:
    try:
        taken = plain_text(text, lines=True)
    except ValidationError:
        return
    assert plain_text(taken, lines=True) == taken
    assert unicodedata.is_normalized("NFC", taken)


@given(st.text(), st.sampled_from(sorted(set("\u200b\u202e\u2067\u3164\u2800\u00ad\ue000"))), st.text())
def test_unseen_characters_are_refused_between_any_texts(before: str, unseen: str, after: str) -> None:
    with pytest.raises(ValidationError):
        plain_text(before + unseen + after, lines=True)


@given(st.text(min_size=1))
def test_what_is_required_has_something_visible(text: str) -> None:
    try:
        taken = plain_text(text, required=True)
    except ValidationError:
        return
    assert any(unicodedata.category(character)[0] in "LNPS" or ord(character) >= 0x1F000 for character in taken)

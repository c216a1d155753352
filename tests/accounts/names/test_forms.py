"""Each form in which members and staff write takes plain text only."""

from collections.abc import Callable

import pytest
from django import forms

from accounts.forms import ProfileForm, SignupForm
from moderation.forms import DecisionForm, ReportForm
from rooms.forms import SpaceForm

TEXTS: dict[str, Callable[[], forms.Field]] = {
    "display_name": lambda: SignupForm.base_fields["display_name"],
    "profile name": lambda: ProfileForm.base_fields["display_name"],
    "bio": lambda: ProfileForm.base_fields["bio"],
    "title": lambda: SpaceForm.base_fields["title"],
    "description": lambda: SpaceForm.base_fields["description"],
    "report": lambda: ReportForm.base_fields["text"],
    "decision": lambda: DecisionForm.base_fields["reason"],
}
UNSEEN = ["Tea \u202e", "\u3164", "Han\u200ba", "\u2800", "\u00ad", "T" + "\u030d\u0315" * 40]


@pytest.mark.parametrize("text", UNSEEN)
@pytest.mark.parametrize("field", TEXTS.values(), ids=TEXTS)
def test_a_form_refuses_what_is_not_plain_text(field: Callable[[], forms.Field], text: str) -> None:
    with pytest.raises(forms.ValidationError):
        field().clean(text)


@pytest.mark.parametrize("field", TEXTS.values(), ids=TEXTS)
def test_a_form_composes_a_text(field: Callable[[], forms.Field]) -> None:
    assert field().clean(" A\u0301ngel ") == "\u00c1ngel"


def test_a_bio_is_as_long_as_the_browser_says() -> None:
    text = "line\r\n" * 59 + "12345"
    assert len(ProfileForm.base_fields["bio"].clean(text)) == 300

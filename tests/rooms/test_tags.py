"""What the tags of the pages about Spaces write: clocks, facts, the live Space of a profile."""

import json
from datetime import timedelta

import pytest
from django.template import Context, Template

from accounts.models import User
from rooms import rules
from rooms.models import Space
from rooms.templatetags import spaces


def written(text: str, **context: object) -> str:
    return Template("{% load spaces %}" + text).render(Context(context))


@pytest.mark.parametrize(("seconds", "words"), [(-3, "0:00"), (42, "0:42"), (725, "12:05"), (3800, "1:03:20")])
def test_clock(seconds: int, words: str) -> None:
    assert spaces.clock(timedelta(seconds=seconds)) == words


def test_facts_hold_the_table_of_rules() -> None:
    facts = spaces.page_facts()
    assert facts["rules"]["host"] == [action.value for action in rules.allowed(rules.Role.HOST)]
    assert "end" not in facts["rules"]["listener"]
    assert facts["targets"]["mute"] == ["speaker"]
    assert json.dumps(facts)


def test_a_profile_shows_the_live_space_to_people_who_may_enter(tea: Space, hana: User, sol: User, dee: User) -> None:
    text = '{% include "rooms/live_now.html" %}'
    assert tea.title in written(text, person=hana, user=sol)
    assert tea.title not in written(text, person=hana, user=dee)

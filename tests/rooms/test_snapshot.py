"""What a page knows of a Space when it comes in."""

import pytest

from accounts.models import User
from rooms import snapshot
from rooms.models import Participant, Space

pytestmark = pytest.mark.django_db(transaction=True)


def faces(space: Space, me: Participant) -> list[str]:
    return [person.handle for person in snapshot.of(space, me).faces]


def test_whoever_listens_sees_himself_however_many_came_before(
    tea: Space, host: Participant, listener: Participant, sol: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    last = tea.enter(sol)
    assert faces(tea, host) == faces(tea, last) == ["lior", "sol"]
    monkeypatch.setattr(snapshot, "FACES", 1)
    assert faces(tea, host) == faces(tea, listener) == ["lior"]
    assert faces(tea, last) == ["sol"]

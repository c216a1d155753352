"""Cases for the tests of moderation: lior, who listens in hana's Space, reports sol, who speaks there."""

from collections.abc import Callable

import pytest
from django.core.files.base import ContentFile

from accounts.models import User
from moderation import staff
from moderation.models import Case, Report
from moderation.refusals import Refused
from recordings import files
from recordings.chunks import meta_of
from recordings.models import Recording
from rooms.models import Participant, Space
from tests.rig.racing import at_once
from tests.rig.sound.captured import captured, tone
from tests.rooms.conftest import _empty_redis, host, listener, open_space, sent, speaker, tea

__all__ = ["_empty_redis", "host", "listener", "open_space", "sent", "speaker", "tea"]

TEXT = "said my street and number aloud"  # words that only staff may read


def outcomes(*work: Callable[[], object]) -> list[str]:
    """Do all of it at once; "done" or the reason of the refusal of each, sorted."""
    results = at_once(*work)
    assert all(isinstance(result, Refused) for result in results if isinstance(result, Exception)), results
    return sorted(result.reason.value if isinstance(result, Refused) else "done" for result in results)


@pytest.fixture
def reviewer(mo: User) -> User:
    """mo, who may review."""
    staff.make_reviewer(mo)
    return mo


@pytest.fixture
def colleague(db: None) -> User:
    """ada, who may review too."""
    ada = User.objects.create_user("ada", display_name="Ada Staff", is_staff=True)
    staff.make_reviewer(ada)
    return ada


@pytest.fixture
def report(tea: Space, lior: User, speaker: Participant, listener: Participant) -> Report:
    """lior's report of sol."""
    return Report.file(lior, tea, speaker, "private", TEXT)


@pytest.fixture
def case(report: Report) -> Case:
    return report.case


@pytest.fixture
def claimed(case: Case, reviewer: User) -> Case:
    """The case, claimed by mo."""
    case.claim(reviewer)
    return case


@pytest.fixture
def report_address(tea: Space) -> Callable[..., str]:
    """`report_address(speaker)`: the address of the form for a person, without one that for the Space."""

    def address(subject: Participant | None = None) -> str:
        return f"/report/?space={tea.pk}&participant={subject.pk if subject else ''}"

    return address


@pytest.fixture
def heard(tea: Space, speaker: Participant) -> Recording:
    """Sound of the Space: sol 440 Hz from 2 s to 6 s, the listeners' mix 880 Hz."""
    recording, turn = Recording.open_for(tea), speaker.turns.get()
    for hertz, names in ((440, (turn.pk, speaker.pk)), (880, (None, None))):
        for chunk in captured(tone(hertz, 4), 2000, tea.pk, *names):
            files.storage().save(chunk.key, ContentFile(chunk.data))
            recording.add_chunk(meta_of(chunk.data))
    return recording

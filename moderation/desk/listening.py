"""The sound on the desk: its players, the room time they begin with, and the answers to their requests."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.db import transaction
from django.http import Http404, HttpResponseBadRequest
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.shared.requests import MemberRequest
from moderation.models import AuditEvent, Case, Report
from recordings import clips, serve
from recordings.models import Recording
from rooms.models import Participant, Space

LEAD_MS = 30_000  # played before the moment of a report
TRAIL_MS = 60_000  # played after it
NAMES = ("own", "mix", "waveform")
WINDOW_MS = 10 * 60_000  # the most that is loaded at once


@dataclass(frozen=True)
class Player:
    """One audio element. It first loads room time `from_ms` to `to_ms`. Its sound ends at `until_ms` so far."""

    name: str
    label: str
    address: str
    from_ms: int
    to_ms: int
    until_ms: int

    @property
    def url(self) -> str:
        return f"{self.address}?{urlencode({'from': self.from_ms, 'to': self.to_ms})}"


def context(case: Case, reports: list[Report]) -> dict[str, Any]:
    """The context of the players' template."""
    recording = Recording.open_for(case.space)
    return {
        "players": players(case, recording, reports),
        "live": case.space.state == Space.State.LIVE,
        "lead_ms": LEAD_MS,
        "window_ms": WINDOW_MS,
        "wave": _address(case, "waveform") if recording.waveform_key else "",
        "length_ms": recording.duration_ms,
    }


def players(case: Case, recording: Recording, reports: list[Report]) -> list[Player]:
    """The person's own track first, then what the listeners heard. Empty if the sound is gone."""
    if recording.is_gone or not reports:
        return []
    from_ms, to_ms = window(report.room_ms for report in reports)
    person = case.participation().first()
    own = _("What @%(handle)s said") % {"handle": case.subject.handle}
    named = [("own", own, person), ("mix", _("What everyone heard"), None)]
    found = []
    for name, label, of_whom in named:
        until_ms = clips.heard_until_ms(recording, of_whom)
        arrived = until_ms if case.space.state == Space.State.LIVE else clips.known_until_ms(recording, of_whom)
        loaded_ms = min(to_ms, arrived) if arrived > from_ms else to_ms
        found.append(Player(name, label, _address(case, name), from_ms, loaded_ms, until_ms))
    return found if person is not None else found[1:]


def window(moments: Iterable[int]) -> tuple[int, int]:
    """From half a minute before the first report to a minute after the last; ten minutes at most."""
    moments = sorted(moments)
    start = max(0, moments[0] - LEAD_MS)
    return start, min(moments[-1] + TRAIL_MS, start + WINDOW_MS)


def _address(case: Case, name: str) -> str:
    return reverse("admin:moderation_case_sound", args=[case.pk, name])


def answer(request: MemberRequest, case: Case, name: str) -> HttpResponseBase:
    """The sound that the query asks for (`from`, `to` in ms of room time). Fetched sound becomes an audit event."""
    recording = Recording.open_for(case.space)
    if recording.is_gone or name not in NAMES:
        raise Http404
    if name == "waveform":
        return _waveform(request, recording)
    asked = _asked(request)
    if asked is None:
        return HttpResponseBadRequest(_("Request at most ten minutes at once."))
    person = case.participation().get() if name == "own" else None
    _note(request, case, recording, name, asked)
    return serve.respond(request, serve.made(_clip(case, recording, person, *asked)))


def _waveform(request: MemberRequest, recording: Recording) -> HttpResponseBase:
    if not recording.waveform_key:
        raise Http404
    return serve.respond(
        request, serve.stored(recording.waveform_key, recording.waveform_sha256[:32], "application/json")
    )


def _asked(request: MemberRequest) -> tuple[int, int] | None:
    """`from` and `to` of the query, or None if they make no sense."""
    try:
        start, stop = int(request.GET["from"]), int(request.GET["to"])
    except (KeyError, ValueError):
        return None
    return (start, stop) if 0 <= start < stop <= start + WINDOW_MS else None


def _clip(case: Case, recording: Recording, person: Participant | None, start: int, stop: int) -> bytes:
    """The clip ends where its sound ends so far, or the Space: what has not arrived yet must not pass for silence."""
    stop = max(start, min(stop, clips.known_until_ms(recording, person)))
    if person is None:
        return clips.mix_clip(recording, start, stop)
    return clips.track_clip(recording, person, start, stop)


def _note(request: MemberRequest, case: Case, recording: Recording, name: str, asked: tuple[int, int]) -> None:
    octets = request.headers.get("Range", "")[:100]
    facts = {"source": name, "from_ms": asked[0], "to_ms": asked[1], "range": octets}
    with transaction.atomic():
        AuditEvent.write(AuditEvent.Verb.SOUND_FETCHED, request.user, facts, case=case, recording=recording)

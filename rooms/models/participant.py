"""Somebody in a Space, and the turns at the microphone."""

import uuid
from contextlib import suppress
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Literal, Self

from django.conf import settings
from django.core.files.storage import default_storage
from django.db import models, transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from accounts.models import User
from rooms import events, protocol, rules
from rooms.models.space import Space, is_welcome
from rooms.models.verbs import verb
from rooms.protocol import Close, parts
from rooms.refusals import Refused, check
from rooms.rules import Action, Mute, Reason, Role
from rooms.store import queue, standing

if TYPE_CHECKING:
    from rooms.models.request import SpeakerRequest

HOST_ARRIVAL_SECONDS = 300  # from opening a Space to the host's first connection

Farewell = Literal["stepped_down", "moved", "left", "removed", "lost"]


def _person(
    pk: uuid.UUID, handle: str, display_name: str, avatar: str | None, role: str, mute: str, away_since: datetime | None
) -> parts.Person:
    return parts.Person(
        participant=str(pk),
        handle=handle,
        name=display_name or handle,
        avatar=default_storage.url(avatar) if avatar else None,
        role=Role(role),
        mute=Mute(mute),
        away=away_since is not None,
    )


class ParticipantQuerySet(models.QuerySet["Participant"]):
    def present(self) -> Self:
        return self.filter(left_at=None, removed_at=None)

    def persons(self) -> list[parts.Person]:
        """As `Participant.person`, of many: to make models of them all costs more than the rest of a snapshot."""
        shown = ("pk", "user__handle", "user__display_name", "user__avatar", "role", "mute", "away_since")
        return [_person(*row) for row in self.values_list(*shown)]

    def hearing(self, pk: uuid.UUID) -> "Participant":
        """The person who is in a live Space now as participant `pk`. Raises Refused."""
        here = self.present().filter(pk=pk, space__state=Space.State.LIVE).select_related("space").first()
        if here is None:
            raise Refused(Reason.NOT_IN_THE_SPACE)
        return here

    def out(self) -> Self:
        return self.exclude(left_at=None, removed_at=None)

    def astray(self) -> Self:
        """Those in a live Space, or gone from its pages alone, who have no right to be there any more."""
        welcome = Space.objects.filter(is_welcome(OuterRef(OuterRef("user"))), pk=OuterRef("space"))
        able = User.objects.in_good_standing().filter(pk=OuterRef("user"))
        here = self.filter(space__state=Space.State.LIVE, removed_at=None, barred_at=None)
        return here.exclude(Q(Exists(able)) & (Q(role=Role.HOST) | Q(Exists(welcome))))


class Participant(models.Model):
    """Somebody in a Space: one row per person and Space, whatever the number of comings and goings."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    space = models.ForeignKey(Space, models.CASCADE, related_name="participants")
    user = models.ForeignKey(User, models.PROTECT, related_name="participations")
    role = models.CharField(max_length=10, choices=[(r.value, r.value) for r in Role], default=Role.LISTENER)
    mute = models.CharField(max_length=5, choices=[(m.value, m.value) for m in Mute], default=Mute.SELF)
    notice_accepted_at = models.DateTimeField(null=True)
    entered_at = models.DateTimeField()
    connected_at = models.DateTimeField(null=True)  # the last time a connection of his was opened
    stage_since = models.DateTimeField(null=True)
    away_since = models.DateTimeField(null=True)  # connection lost, place kept for a while
    left_at = models.DateTimeField(null=True)
    removed_at = models.DateTimeField(null=True)
    barred_at = models.DateTimeField(null=True)  # the right to be here was lost; cleared when it is regained
    removed_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")

    objects = ParticipantQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["space", "user"], name="participant_once"),
            models.CheckConstraint(condition=Q(removed_at=None) | ~Q(left_at=None), name="participant_removed_is_out"),
        ]
        indexes = [
            models.Index(fields=["space", "left_at", "role"]),
            models.Index(  # of Space.listeners(): everybody who comes into a room of thousands asks for the first ones
                fields=["space", "entered_at", "id"],
                name="participant_listening",
                condition=Q(left_at=None, removed_at=None, role=Role.LISTENER.value, connected_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user} in {self.space_id} ({self.role})"

    @property
    def on_stage(self) -> bool:
        return self.role != Role.LISTENER

    @property
    def close_code(self) -> Close:
        """Why connections of a person who is not in the Space are closed."""
        if self.removed_at is not None:
            return Close.REMOVED
        return Close.NOT_FOUND if self.barred_at is not None else Close.LEFT

    @property
    def away_until(self) -> datetime | None:
        """When somebody whose connection is lost is counted out; a host who was never here gets time to arrive."""
        if self.away_since is None:
            return None
        grace = settings.SPACES_AWAY_SECONDS
        if self.role == Role.HOST:
            grace = settings.SPACES_HOST_GRACE_SECONDS if self.connected_at else HOST_ARRIVAL_SECONDS
        return self.away_since + timedelta(seconds=grace)

    def person(self) -> parts.Person:
        user = self.user
        return _person(self.pk, user.handle, user.display_name, user.avatar.name, self.role, self.mute, self.away_since)

    # --- coming and going ---
    def arrive(self, now: datetime) -> None:
        """A connection of this person was opened. Called by Space.enter, which holds the lock."""
        was_away, came_back, first = self.away_since is not None, self.left_at is not None, self.connected_at is None
        if came_back:
            self.entered_at = now
        if self.barred_at is not None:
            self.barred_at = None
            self.space.sound_changed()
        self.connected_at, self.away_since, self.left_at = now, None, None
        self.save(update_fields=["connected_at", "away_since", "left_at", "entered_at", "barred_at"])
        if self.role == Role.HOST and was_away:
            self.space.publish(protocol.HostBack())
        if self.on_stage and was_away:
            self._tell_voice()
        if not self.on_stage and (came_back or first):
            events.audience_changed(self.space_id, entered=self.person())

    @verb
    def lose(self) -> None:
        """The last connection of this person is gone; the place is kept for a while. Safe to repeat."""
        if self.away_since is not None or self.left_at is not None:
            return
        self.away_since = timezone.now()
        self.save(update_fields=["away_since"])
        if self.role == Role.HOST:
            assert self.away_until is not None
            self.space.publish(protocol.HostAway(until=self.away_until.timestamp()))
        if self.on_stage:
            self._tell_voice()

    @verb
    def leave(self, lost: bool = False) -> None:
        """Leave of one's own will, or be counted out after the grace time (`lost`)."""
        if not lost:
            check(rules.refusal(Action.LEAVE, Role(self.role)))
        if self.left_at is None:
            self._go("lost" if lost else "left")

    def _go(self, why: Literal["left", "removed", "lost"]) -> None:
        """Out of the Space: off the stage, out of the queue, out of the count."""
        was_on_stage = self.on_stage
        self._leave_queue()
        queue.leave_on_commit(self.space_id, self.pk)
        self.left_at, self.away_since = self.left_at or timezone.now(), None
        if was_on_stage:
            self._leave_stage(why)
        self.save(update_fields=["left_at", "away_since", "removed_at", "removed_by", "barred_at"])
        if not was_on_stage:
            events.audience_changed(self.space_id, left=str(self.pk))
        if why == "removed":  # of whom the standing tells, and an event
            events.fleet_changed(own=[self.user_id])
        else:
            standing.left(self.space_id, self.pk)
            events.cut_off(self.pk, self.close_code)

    # --- the microphone ---
    @verb
    def accept_notice(self) -> None:
        """The notice about the safety recording has been read; once per Space."""
        if self.notice_accepted_at is None:
            self.notice_accepted_at = timezone.now()
            self.save(update_fields=["notice_accepted_at"])

    @verb
    def open_microphone(self) -> None:
        check(rules.refusal(Action.OPEN_MICROPHONE, Role(self.role)))
        check(rules.opening_refusal(Mute(self.mute), self.notice_accepted_at is not None))
        self._set_mute(Mute.OPEN)

    @verb
    def close_microphone(self) -> None:
        check(rules.refusal(Action.CLOSE_MICROPHONE, Role(self.role)))
        if self.mute == Mute.OPEN:
            self._set_mute(Mute.SELF)

    @verb
    def mute_by(self, by: "Participant | None") -> None:
        """Close this microphone; only the host opens it again."""
        self._authorise(Action.MUTE, by)
        self._set_mute(Mute.HOST)

    @verb
    def unmute_by(self, by: "Participant | None") -> None:
        """Let this person open the microphone again; opening it stays with the person."""
        self._authorise(Action.UNMUTE, by)
        if self.mute == Mute.HOST:
            self._set_mute(Mute.SELF)

    def _set_mute(self, mute: Mute) -> None:
        if self.mute == mute:
            return
        self.mute = mute
        self.save(update_fields=["mute"])
        self.space.sound_changed()
        self._tell_voice()

    # --- the stage ---
    def take_stage(self, now: datetime) -> None:
        """Become a speaker, microphone closed. Called by SpeakerRequest.admit, which holds the lock and asked rules."""
        self.role, self.stage_since = Role.SPEAKER, now
        self.mute = Mute.HOST if self.mute == Mute.HOST else Mute.SELF
        self.save(update_fields=["role", "stage_since", "mute"])
        self.turns.create(started_at=now)
        self.space.sound_changed()
        self._tell_voice()
        events.audience_changed(self.space_id, left=str(self.pk))
        events.fleet_changed([self.user_id])

    @verb
    def step_down(self) -> None:
        check(rules.refusal(Action.STEP_DOWN, Role(self.role)))
        self._to_audience("stepped_down")

    @verb
    def move_to_audience(self, by: "Participant | None") -> None:
        self._authorise(Action.MOVE_TO_AUDIENCE, by)
        self._to_audience("moved")

    def _to_audience(self, why: Literal["stepped_down", "moved"]) -> None:
        self._leave_stage(why)
        events.audience_changed(self.space_id, entered=self.person())

    def _leave_stage(self, why: Farewell) -> None:
        now = timezone.now()
        self.turns.filter(ended_at=None).update(ended_at=now)
        if self.role != Role.HOST:
            self.role, self.stage_since = Role.LISTENER, None
        self.mute = Mute.HOST if self.mute == Mute.HOST else Mute.SELF
        self.save(update_fields=["role", "mute", "stage_since"])
        self.space.sound_changed()
        gone = protocol.VoiceGone(participant=str(self.pk), why=why, standing=self.space.standing_version)
        self.space.publish(gone)
        events.fleet_changed([self.user_id])

    # --- asking ---
    @verb
    def ask_to_speak(self, text: str = "") -> "SpeakerRequest":
        check(rules.refusal(Action.ASK, Role(self.role)))
        check(Reason.ALREADY_ASKED if self.requests.waiting().exists() else None)
        check(Reason.NOT_IN_THE_SPACE if self.left_at is not None else None)
        request = self.requests.create(space=self.space, text=text.strip(), asked_at=timezone.now())
        self.space.publish(protocol.Asked(request=request.queued()))
        return request

    @verb
    def withdraw(self) -> None:
        check(rules.refusal(Action.WITHDRAW, Role(self.role)))
        check(None if self._leave_queue("withdrawn") else Reason.NOT_ASKED)

    def _leave_queue(self, how: str = "left") -> bool:
        request = self.requests.waiting().first()
        if request is not None:
            request.space = self.space
            request.close(how, None)
        return request is not None

    # --- being thrown out ---
    @verb
    def remove(self, by: "Participant | None", staff: User | None = None) -> None:
        """Out of this Space for good, in page and sound. `by` is the host; None with `staff` for the safety team."""
        if self.removed_at is not None:
            return
        self._authorise(Action.REMOVE, by)
        self.removed_at, self.removed_by = timezone.now(), by.user if by else staff
        self._go("removed")
        self.space.sound_changed()
        removed = protocol.Removed(participant=str(self.pk), standing=self.space.standing_version)
        self.space.publish(removed, close=self.close_code, whom=str(self.pk))

    @transaction.atomic
    def block(self, by: "Participant") -> None:
        """Out of this Space and of every other one of the host's; following ends both ways."""
        self._authorise(Action.BLOCK, by)
        self.remove(by)
        by.user.block(self.user)

    def recheck(self) -> None:
        """Out, if the right to be in this Space is gone: blocked, suspended, no longer a follower or invited."""
        user = User.objects.get(pk=self.user_id)
        if Space.objects.enterable_by(user).filter(pk=self.space_id).exists():
            return
        if self.role == Role.HOST:
            self.space.end(why=Space.Why.SUSPENDED)
            return
        with suppress(Refused):  # the Space ended meanwhile
            self.shut_out()

    @verb
    def shut_out(self) -> None:
        """Leave because the right to be here is gone; unlike `remove` this lasts only as long as its cause.

        Whoever has left already is shut out, too: a page that does not close its connections would keep the sound."""
        if self.removed_at is not None or self.barred_at is not None:
            return
        self.barred_at = timezone.now()
        self._go("removed")
        self.space.sound_changed()
        removed = protocol.Removed(participant=str(self.pk), standing=self.space.standing_version)
        self.space.publish(removed, close=self.close_code, whom=str(self.pk))

    # --- helpers ---
    def _authorise(self, action: Action, by: "Participant | None") -> None:
        """May `by` (None: staff, or a sweep) do this to me?"""
        if by is None:
            check(None if Role(self.role) in rules.TARGETS[action] else Reason.NOT_ON_THIS_PERSON)
            return
        if by.space_id != self.space_id:
            raise Refused(Reason.NOT_IN_THE_SPACE)
        if by.pk == self.pk:
            raise Refused(Reason.NOT_ON_YOURSELF)
        check(rules.refusal(action, Role(by.role), Role(self.role)))

    def _tell_voice(self) -> None:
        self.space.publish(protocol.Voice(person=self.person(), standing=self.space.standing_version))


class Turn(models.Model):
    """One stay at the microphone. It is the track of the recording and, in the standing, the voice."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    participant = models.ForeignKey(Participant, models.CASCADE, related_name="turns")
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["participant"], condition=Q(ended_at=None), name="turn_one_at_a_time")
        ]

    def __str__(self) -> str:
        return f"turn of {self.participant_id} from {self.started_at}"

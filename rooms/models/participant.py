"""People in a Space: their coming and going, their microphones, and how the host decides about them."""

import uuid
from contextlib import suppress
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Literal

from django.conf import settings
from django.db import models, transaction
from django.db.models import Q
from django.utils import timezone

from accounts.models import User
from rooms import events, protocol, rules
from rooms.models.people import ParticipantQuerySet, shown
from rooms.models.space import Space, listening
from rooms.models.verbs import verb
from rooms.protocol import Close, parts
from rooms.refusals import Refused, check
from rooms.rules import Action, Mute, Reason, Role
from rooms.store import queue, standing

if TYPE_CHECKING:
    from rooms.models.request import SpeakerRequest

HOST_ARRIVAL_SECONDS = 300  # from opening a Space to the host's first connection

OffStage = Literal["stepped_down", "moved"]
OutOfSpace = Literal["left", "removed", "lost"]


class Participant(models.Model):
    """A person in a Space. They have one row in it, however often they come and go."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    space = models.ForeignKey(Space, models.CASCADE, related_name="participants")
    user = models.ForeignKey(User, models.PROTECT, related_name="participations")
    role = models.CharField(max_length=10, choices=[(r.value, r.value) for r in Role], default=Role.LISTENER)
    mute = models.CharField(max_length=5, choices=[(m.value, m.value) for m in Mute], default=Mute.SELF)
    notice_accepted_at = models.DateTimeField(null=True)
    entered_at = models.DateTimeField()
    connected_at = models.DateTimeField(null=True)  # when their latest connection was opened
    stage_since = models.DateTimeField(null=True)
    away_since = models.DateTimeField(null=True)  # the connection is lost; the place is kept for a while
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
            # of Space.listeners(): every newcomer to a Space of thousands asks for the first ones
            models.Index(fields=["space", "entered_at", "id"], name="participant_listening", condition=listening()),
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
        """When a person whose connection is lost is counted out. A host who was never here gets time to arrive."""
        if self.away_since is None:
            return None
        grace = settings.SPACES_AWAY_SECONDS
        if self.role == Role.HOST:
            grace = settings.SPACES_HOST_GRACE_SECONDS if self.connected_at else HOST_ARRIVAL_SECONDS
        return self.away_since + timedelta(seconds=grace)

    def person(self) -> parts.Person:
        """This person as everyone in the Space sees them."""
        user = self.user
        return shown(self.pk, user.handle, user.display_name, user.avatar.name, self.role, self.mute, self.away_since)

    # Coming and going
    def arrive(self, now: datetime) -> None:
        """Note that a connection of this person was opened. Called by Space.enter, which holds the lock."""
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
            self._publish_voice()
        if not self.on_stage and (came_back or first):
            events.audience_changed(self.space_id, entered=self.person())

    @verb
    def lose(self) -> None:
        """Note that the last connection of this person is gone. The place is kept for a while. Safe to repeat."""
        if self.away_since is not None or self.left_at is not None:
            return
        self.away_since = timezone.now()
        self.save(update_fields=["away_since"])
        if self.role == Role.HOST:
            assert self.away_until is not None
            self.space.publish(protocol.HostAway(until=self.away_until.timestamp()))
        if self.on_stage:
            self._publish_voice()

    @verb
    def leave(self, lost: bool = False) -> None:
        """Leave by choice, or be counted out after the grace time (`lost`)."""
        if not lost:
            check(rules.refusal(Action.LEAVE, Role(self.role)))
        if self.left_at is None:
            self._go("lost" if lost else "left", timezone.now())
            standing.left(self.space_id, self.pk)
            events.cut_off(self.pk, self.close_code)

    def _go(self, why: OutOfSpace, now: datetime) -> None:
        """Take this person off the stage, and out of requests, queue and count."""
        was_on_stage = self.on_stage
        self._close_request("left", now)
        queue.leave_on_commit(self.space_id, self.pk)
        self.left_at, self.away_since = self.left_at or now, None
        if was_on_stage:
            self._leave_stage(why, now)
        self.save(update_fields=["left_at", "away_since", "removed_at", "removed_by", "barred_at"])
        if not was_on_stage:
            events.audience_changed(self.space_id, left=str(self.pk))

    # The microphone
    @verb
    def accept_notice(self) -> None:
        """Note that this person has read the notice about the safety recording; once per Space."""
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
        """Close this microphone. Only the host opens it again."""
        self._authorise(Action.MUTE, by)
        self._set_mute(Mute.HOST)

    @verb
    def unmute_by(self, by: "Participant | None") -> None:
        """Let this person open the microphone again, when they want to."""
        self._authorise(Action.UNMUTE, by)
        if self.mute == Mute.HOST:
            self._set_mute(Mute.SELF)

    def _set_mute(self, mute: Mute) -> None:
        if self.mute == mute:
            return
        self.mute = mute
        self.save(update_fields=["mute"])
        self.space.sound_changed()
        self._publish_voice()

    # The stage
    def take_stage(self, now: datetime) -> None:
        """Become a speaker, microphone closed. Called by SpeakerRequest.admit, which holds the lock and asked rules."""
        self.role, self.stage_since = Role.SPEAKER, now
        self.mute = Mute.HOST if self.mute == Mute.HOST else Mute.SELF
        self.save(update_fields=["role", "stage_since", "mute"])
        self.turns.create(started_at=now)
        self.space.sound_changed()
        self._publish_voice()
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

    def _to_audience(self, why: OffStage) -> None:
        self._leave_stage(why, timezone.now())
        events.audience_changed(self.space_id, entered=self.person())

    def _leave_stage(self, why: OffStage | OutOfSpace, now: datetime) -> None:
        self.turns.filter(ended_at=None).update(ended_at=now)
        if self.role != Role.HOST:
            self.role, self.stage_since = Role.LISTENER, None
        self.mute = Mute.HOST if self.mute == Mute.HOST else Mute.SELF
        self.save(update_fields=["role", "mute", "stage_since"])
        self.space.sound_changed()
        gone = protocol.VoiceGone(participant=str(self.pk), why=why, standing=self.space.standing_version)
        self.space.publish(gone)
        events.fleet_changed([self.user_id])

    # Requests to speak
    @verb
    def ask_to_speak(self, text: str = "") -> "SpeakerRequest":
        check(rules.refusal(Action.ASK, Role(self.role)))
        check(Reason.NOT_IN_THE_SPACE if self.left_at is not None else None)
        now, gone = timezone.now(), self.requests.gone()
        last = gone.order_by("-decided_at").values_list("decided_at", flat=True).first()
        since = (now - last).total_seconds() if last else 0.0
        check(rules.asking_refusal(self.requests.waiting().exists(), gone.count(), since))
        request = self.requests.create(space=self.space, text=text.strip(), asked_at=now)
        self.space.publish(protocol.Asked(request=request.shown()))
        return request

    @verb
    def withdraw(self) -> None:
        check(rules.refusal(Action.WITHDRAW, Role(self.role)))
        check(None if self._close_request("withdrawn", timezone.now()) else Reason.NOT_ASKED)

    def _close_request(self, how: Literal["left", "withdrawn"], now: datetime) -> bool:
        """Close the request of this person, if there is one. Returns whether there was."""
        request = self.requests.waiting().first()
        if request is not None:
            request.space = self.space
            request.close(how, now)
        return request is not None

    # Losing the right to be here
    @verb
    def remove(self, by: "Participant | None", staff: User | None = None) -> None:
        """Remove this person for good, in page and sound. `by` is the host; None with `staff` for the safety team."""
        if self.removed_at is not None:
            return
        self._authorise(Action.REMOVE, by)
        now = timezone.now()
        self.removed_at, self.removed_by = now, by.user if by else staff
        self._take_out(now)

    @transaction.atomic
    def block(self, by: "Participant") -> None:
        """Remove this person here and keep them out of all Spaces of the host. Following ends both ways."""
        self._authorise(Action.BLOCK, by)
        self.remove(by)
        by.user.block(self.user)

    def recheck(self) -> None:
        """Take this person out if they may no longer be here: blocked, suspended, no longer a follower or invited."""
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
        """Take this person out because they may no longer be here. Unlike `remove` this lasts as long as its cause.

        People who left are shut out, too: a page that keeps its connection would keep the sound.
        """
        if self.removed_at is not None or self.barred_at is not None:
            return
        self.barred_at = now = timezone.now()
        self._take_out(now)

    def _take_out(self, now: datetime) -> None:
        """Take this person out, in page and sound. The verb has set the field that says why."""
        self._go("removed", now)
        events.fleet_changed(own=[self.user_id])
        self.space.sound_changed()
        removed = protocol.Removed(participant=str(self.pk), standing=self.space.standing_version)
        self.space.publish(removed, close=self.close_code, whom=str(self.pk))

    # Helpers
    def _authorise(self, action: Action, by: "Participant | None") -> None:
        """May `by` (None: staff, or a sweep) do this to this person? Raises Refused."""
        if by is None:
            check(None if Role(self.role) in rules.TARGETS[action] else Reason.NOT_ON_THIS_PERSON)
            return
        if by.space_id != self.space_id:
            raise Refused(Reason.NOT_IN_THE_SPACE)
        if by.pk == self.pk:
            raise Refused(Reason.NOT_ON_YOURSELF)
        check(rules.refusal(action, Role(by.role), Role(self.role)))

    def _publish_voice(self) -> None:
        self.space.publish(protocol.Voice(person=self.person(), standing=self.space.standing_version))

"""Spaces: who may enter them, and the verbs open, invite, enter, end."""

import uuid
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Self

import msgspec
from django.db import models, transaction
from django.db.models import Exists, F, OuterRef, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Block, Follow, User
from rooms import events, protocol, rules, signals
from rooms.media.contract.standing import Standing, Voice
from rooms.protocol import Close
from rooms.protocol.events import Sequenced
from rooms.refusals import check
from rooms.rules import Action, Mute, Reason, Role
from rooms.store import queue, standing

if TYPE_CHECKING:
    from rooms.models.participant import Participant, ParticipantQuerySet
    from rooms.models.request import SpeakerRequest


PLACE = ("boot", "boot_before", "boot_from_ms")
ENDED_LATELY = timedelta(minutes=10)  # for so long the sweeps look whether the end was heard
Person = User | OuterRef  # somebody, or whoever a row of the query around is about


class SpaceQuerySet(models.QuerySet["Space"]):
    def live(self) -> Self:
        return self.filter(state=Space.State.LIVE)

    def ended_lately(self, now: datetime) -> Self:
        """Those whose end may not have reached every page and node yet."""
        return self.filter(state=Space.State.ENDED, ended_at__gt=now - ENDED_LATELY)

    def enterable_by(self, user: User) -> Self:
        """The live Spaces that `user` may enter, see and hear: this query is the access control of every door."""
        if not user.is_authenticated or not user.is_active or user.is_suspended():
            return self.none()
        return self.live().filter(Q(host=user) | is_welcome(user))

    def known_to(self, user: User) -> Self:
        """What `user` may open a page of: Spaces to enter, and ended ones that the user was in."""
        was_in = self.filter(participants__user=user, participants__connected_at__isnull=False)
        ended = was_in.filter(state=Space.State.ENDED)
        return self.filter(Q(pk__in=self.enterable_by(user).values("pk")) | Q(pk__in=ended.values("pk")))


def is_welcome(user: Person) -> Q:
    """Spaces of others to which `user` is invited, and not kept out."""
    return _invited(user) & ~_kept_out(user)


def _invited(user: Person) -> Q:
    follows = Follow.objects.filter(followee=OuterRef("host"), follower=user, state=Follow.State.ACCEPTED)
    before = follows.filter(accepted_at__lt=OuterRef("started_at"))
    named = Invitation.objects.filter(space=OuterRef("pk"), user=user)
    followers = Q(audience=Space.Audience.FOLLOWERS) & (
        Q(Exists(before)) | (Q(earlier_followers_only=False) & Q(Exists(follows)))
    )
    return followers | (Q(audience=Space.Audience.NAMED) & Q(Exists(named)))


def _kept_out(user: Person) -> Q:
    blocked = Block.objects.filter(
        Q(blocker=OuterRef("host"), blocked=user) | Q(blocker=user, blocked=OuterRef("host"))
    )
    removed = Space.objects.filter(pk=OuterRef("pk"), participants__user=user, participants__removed_at__isnull=False)
    return Q(Exists(blocked)) | Q(Exists(removed))


class Space(models.Model):
    """A live audio room. `seq` numbers its events, `standing_version` what media nodes may do in it."""

    class State(models.TextChoices):
        LIVE = "live", _("live")
        ENDED = "ended", _("ended")

    class Audience(models.TextChoices):
        FOLLOWERS = "followers", _("all my followers")
        NAMED = "named", _("people I name")

    class Why(models.TextChoices):
        HOST = "host", _("ended by the host")
        HOST_LOST = "host_lost", _("the host's connection was lost")
        STAFF = "staff", _("ended by the safety team")
        SUSPENDED = "suspended", _("the host's account was suspended")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    host = models.ForeignKey(User, models.PROTECT, related_name="hosted_spaces", verbose_name=_("host"))
    title = models.CharField(_("title"), max_length=80)
    description = models.CharField(_("what it is about"), max_length=500, blank=True)
    audience = models.CharField(_("who may enter"), max_length=10, choices=Audience.choices)
    earlier_followers_only = models.BooleanField(_("only who followed before the start"), default=False)
    state = models.CharField(max_length=10, choices=State.choices, default=State.LIVE)
    ended_why = models.CharField(max_length=10, choices=Why.choices, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    seq = models.PositiveBigIntegerField(default=0)
    standing_version = models.PositiveBigIntegerField(default=0)
    node = models.CharField(max_length=200, blank=True)
    boot = models.CharField(max_length=40, blank=True)
    boot_before = models.CharField(max_length=40, blank=True)  # the boot that keeps the sound until `boot_from_ms`
    boot_from_ms = models.PositiveBigIntegerField(default=0)  # of room time

    objects = SpaceQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["host"], condition=Q(state="live"), name="space_one_live_per_host"),
            models.CheckConstraint(condition=~Q(state="ended") | Q(ended_at__isnull=False), name="space_end_has_time"),
        ]
        indexes = [
            models.Index(fields=["state", "-started_at"]),
            models.Index(fields=["ended_at"], name="space_ended"),
        ]

    def __str__(self) -> str:
        return self.title

    # --- verbs ---
    @classmethod
    @transaction.atomic
    def open(
        cls,
        host: User,
        *,
        title: str,
        audience: str,
        description: str = "",
        invited: Iterable[User] = (),
        earlier_followers_only: bool = False,
    ) -> "Space":
        """Open a Space that is live at once, with its host at the microphone (closed). Raises Refused."""
        now = timezone.now()
        host = User.objects.select_for_update(no_key=True).get(pk=host.pk)
        already = cls.objects.live().filter(host=host).exists()
        check(rules.hosting_refusal(host.followers_missing(), host.is_suspended(now), already))
        space = cls.objects.create(
            host=host,
            title=title,
            description=description,
            audience=audience,
            earlier_followers_only=earlier_followers_only,
            created_at=now,
            started_at=now,
        )
        space._name(list(invited))
        me = space.participants.create(user=host, role=Role.HOST, entered_at=now, away_since=now)
        me.turns.create(started_at=now)
        space.sound_changed()
        transaction.on_commit(lambda: signals.space_started.send(cls, space=space))
        events.fleet_changed([host.pk])
        return space

    @classmethod
    def locked(cls, pk: uuid.UUID) -> "Space":
        """The row, fresh and locked until the transaction ends: whoever changes a Space holds this."""
        return cls.objects.select_for_update(of=("self",)).select_related("host").get(pk=pk)

    def settle(self, node: str, boot: str, before: str = "", from_ms: int = 0) -> None:
        """Place the sound on this boot of `node`. The boot `before` keeps it until `from_ms` of room time.

        The caller holds the lock."""
        self.node, self.boot, self.boot_before, self.boot_from_ms = node, boot, before, from_ms
        self.save(update_fields=["node", "boot", "boot_before", "boot_from_ms"])
        self.sound_changed()

    @transaction.atomic
    def enter(self, user: User) -> "Participant":
        """Let `user` in, or back in. Raises Space.DoesNotExist for whoever may not know of it."""
        space = Space.locked(self.pk)
        if not Space.objects.enterable_by(user).filter(pk=space.pk).exists():
            raise Space.DoesNotExist
        now = timezone.now()
        participant, _created = space.participants.get_or_create(user=user, defaults={"entered_at": now})
        participant.space = space
        participant.arrive(now)
        return participant

    @transaction.atomic
    def invite(self, people: Iterable[User], by: "Participant | None" = None) -> int:
        """Name further people for a live Space of named people; `by` is None for an operator's command.

        How many had not been named before. Safe to repeat. Raises Refused."""
        space = Space.locked(self.pk)
        check(None if space.state == Space.State.LIVE else Reason.NOT_LIVE)
        space._authorise(Action.INVITE, by)
        named, before = list(people), space.invitations.count()
        space._name(named)
        events.fleet_changed(own=[person.pk for person in named])
        return space.invitations.count() - before

    def _name(self, people: list[User]) -> None:
        if not people:
            return
        removed = self.participants.filter(user__in=people, removed_at__isnull=False)
        check(Reason.WAS_REMOVED if removed.exists() else None)
        rows = [Invitation(space=self, user=person) for person in people]
        self.invitations.bulk_create(rows, ignore_conflicts=True)
        check(rules.inviting_refusal(self.audience == Space.Audience.NAMED, self.invitations.count()))

    @transaction.atomic
    def end(self, by: "Participant | None" = None, why: str = Why.HOST) -> None:
        """End the Space for everyone; `by` is None for staff and for the sweeps. Safe to repeat."""
        space = Space.locked(self.pk)
        if space.state == Space.State.ENDED:
            return
        space._authorise(Action.END, by)
        now = timezone.now()
        on_stage = [person.user_id for person in space.stage()]
        space.state, space.ended_at, space.ended_why = Space.State.ENDED, now, why
        space.save(update_fields=["state", "ended_at", "ended_why"])
        space._close_rows(now)
        space.sound_changed()
        queue.delete_on_commit(space.pk)
        space.publish(protocol.Ended(why=why), close=Close.ENDED)  # type: ignore[arg-type]
        events.fleet_changed(on_stage)
        transaction.on_commit(lambda: signals.space_ended.send(Space, space=space))

    def send_end_again(self) -> None:
        """Repeat the end for pages that missed it. No event follows the end, so its number is the last one.

        A page that knows the number already ignores the frame."""
        self._send(protocol.Ended(why=self.ended_why), close=Close.ENDED)  # type: ignore[arg-type]

    def publish(self, event: Sequenced, close: Close | None = None, whom: str = "") -> None:
        """Number `event` and send it to everyone in the Space after commit. The caller holds the lock on the Space.

        `close`, `whom`: as for `events.send`."""
        Space.objects.filter(pk=self.pk).update(seq=F("seq") + 1)
        self.seq += 1
        self._send(event, close, whom)

    def sound_changed(self) -> None:
        """Raise the version of the standing and write it after commit. The caller holds the lock on the Space."""
        self.standing_version += 1
        self.save(update_fields=["standing_version"])
        transaction.on_commit(self.write_standing, robust=True)

    def write_standing(self) -> None:
        """Write the standing to Redis as the rows are now. Safe to repeat."""
        self.refresh_from_db(fields=["standing_version", "state", *PLACE])
        standing.write(self.standing())

    def standing(self) -> Standing:
        """What the media node may do for whom in this Space, from the rows."""
        removed = self.participants.exclude(removed_at=None, barred_at=None).values_list("pk", flat=True)
        return Standing(
            space=str(self.pk),
            version=self.standing_version,
            started_at=self.started_at.timestamp() if self.started_at else 0.0,
            ended=self.state != Space.State.LIVE,
            voices=tuple(self._voices()),
            removed=frozenset(str(pk) for pk in removed),
            boot=self.boot,
            boot_before=self.boot_before,
            from_ms=self.boot_from_ms,
        )

    def _voices(self) -> list[Voice]:
        turns = ((person, person.turns.filter(ended_at=None).first()) for person in self.stage())
        return [
            Voice(participant=str(person.pk), turn=str(turn.pk), muted=person.mute != Mute.OPEN)
            for person, turn in turns
            if turn is not None
        ]

    def _send(self, event: Sequenced, close: Close | None, whom: str = "") -> None:
        numbered = msgspec.structs.replace(event, seq=self.seq)
        events.send(self.pk, protocol.encode(numbered), close, whom)

    def _authorise(self, action: Action, by: "Participant | None") -> None:
        """May `by` (None: staff, a sweep, an operator's command) do this here?"""
        if by is not None:
            check(None if by.space_id == self.pk else Reason.NOT_IN_THE_SPACE)
            check(rules.refusal(action, Role(by.role)))

    def _close_rows(self, now: datetime) -> None:
        for person in self.stage():
            person.turns.filter(ended_at=None).update(ended_at=now)
        self.requests.waiting().update(state="left", decided_at=now)
        self.participants.filter(left_at=None).update(left_at=now, away_since=None)

    @classmethod
    def recheck(cls, user: User) -> None:
        """Take `user` out of every live Space that he may no longer be in; end his own if he is suspended.

        His fleet line is looked at again, too: what he may enter has changed, perhaps to the better."""
        for participant in user.participations.astray().select_related("space"):
            participant.recheck()
        events.fleet_changed(own=[user.pk])

    # --- who is in it ---
    def stage(self) -> "models.QuerySet[Participant]":
        """Host and speakers, in the order in which they came to the microphone."""
        on_stage = self.participants.present().filter(role__in=[Role.HOST, Role.SPEAKER])
        first = models.Case(models.When(role=Role.HOST, then=0), default=1)
        return on_stage.select_related("user").order_by(first, "stage_since", "pk")

    def listeners(self) -> "ParticipantQuerySet":
        present = self.participants.present().filter(role=Role.LISTENER, connected_at__isnull=False)
        return present.select_related("user").order_by("entered_at", "pk")

    def queue(self) -> "models.QuerySet[SpeakerRequest]":
        return self.requests.waiting().select_related("participant__user").order_by("asked_at", "pk")

    @property
    def listener_count(self) -> int:
        return self.listeners().count()

    @property
    def room_ms(self) -> int:
        """Milliseconds since the start: the room time of now, or of the end."""
        if self.started_at is None:
            return 0
        return int(((self.ended_at or timezone.now()) - self.started_at).total_seconds() * 1000)

    @property
    def sounding_boot(self) -> str:
        """The boot that has the sound; empty while none has it, or two have it (`rooms/nodes/moving.py`)."""
        is_moving = bool(self.boot_before) and self.room_ms < self.boot_from_ms
        return "" if is_moving else self.boot


class Invitation(models.Model):
    """A person named for a Space whose audience is named people."""

    space = models.ForeignKey(Space, models.CASCADE, related_name="invitations")
    user = models.ForeignKey(User, models.CASCADE, related_name="space_invitations")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["space", "user"], name="invitation_once")]

    def __str__(self) -> str:
        return f"{self.user_id} in {self.space_id}"

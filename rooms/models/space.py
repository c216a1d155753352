"""Spaces: who may enter them, and the verbs open, invite, enter, end."""

import uuid
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Self

import msgspec
from django.apps import apps
from django.db import models, transaction
from django.db.models import Count, Exists, F, OuterRef, Prefetch, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Block, Follow, User
from rooms import events, protocol, rules, signals
from rooms.media.contract.standing import Standing, Voice
from rooms.models.inviting import Invitation
from rooms.protocol import Close
from rooms.protocol.events import Sequenced
from rooms.refusals import check
from rooms.rules import Action, Mute, Reason, Role
from rooms.store import queue, standing

if TYPE_CHECKING:
    from rooms.models.participant import Participant
    from rooms.models.people import ParticipantQuerySet
    from rooms.models.request import SpeakerRequest

PLACE = ("boot", "boot_before", "boot_from_ms")
ENDED_LATELY = timedelta(minutes=10)  # for which the sweeps check that the end has reached pages and nodes
UserRef = User | OuterRef  # a person, or the person of a row of the outer query


class SpaceQuerySet(models.QuerySet["Space"]):
    def live(self) -> Self:
        return self.filter(state=Space.State.LIVE)

    def ended_lately(self, now: datetime) -> Self:
        """Those whose end may not have reached every page and node yet."""
        return self.filter(state=Space.State.ENDED, ended_at__gt=now - ENDED_LATELY)

    def enterable_by(self, user: User) -> Self:
        """The live Spaces that `user` may enter, see and hear. Page, socket and API get their access control here."""
        if not user.is_authenticated or not user.is_active or user.is_suspended():
            return self.none()
        return self.live().filter(Q(host=user) | is_welcome(user))

    def listed_for(self, user: User) -> Self:
        """The Spaces to enter that lists show to `user`: their own, and those of people whom they follow."""
        return self.enterable_by(user).filter(Q(host=user) | Q(Exists(_follows(user))))

    def invitations_of_strangers(self, user: User) -> Self:
        """The Spaces to enter of people whom `user` does not follow. Only the section "Invitation requests" shows them.

        It shows no title: with one, strangers could write to anyone.
        """
        strangers = self.enterable_by(user).exclude(host=user).exclude(Exists(_follows(user)))
        return strangers.select_related("host").order_by("-started_at")

    def shown_to(self, user: User) -> Self:
        """The Spaces of lists, with `on_stage` and `listening`, the fullest first."""
        participants: ParticipantQuerySet = apps.get_model("rooms", "Participant").objects.all()
        return (
            self.listed_for(user)
            .select_related("host")
            .annotate(listening=Count("participants", filter=listening("participants__")))
            .prefetch_related(Prefetch("participants", participants.on_stage(), to_attr="on_stage"))
            .order_by("-listening", "-started_at")
        )

    def known_to(self, user: User) -> Self:
        """Spaces of which `user` may open a page: those to enter, and ended ones that they were in."""
        was_in = self.filter(participants__user=user, participants__connected_at__isnull=False)
        ended = was_in.filter(state=Space.State.ENDED)
        return self.filter(Q(pk__in=self.enterable_by(user).values("pk")) | Q(pk__in=ended.values("pk")))


def listening(to: str = "") -> Q:
    """People who listen, for a query of participants, or for one that joins them by the path `to`."""
    fields = {"role": Role.LISTENER.value, "left_at": None, "removed_at": None, "connected_at__isnull": False}
    return Q(**{f"{to}{field}": value for field, value in fields.items()})


def is_welcome(user: UserRef) -> Q:
    """Spaces of other hosts to which `user` is invited and from which they are not kept out."""
    return _invited(user) & ~_kept_out(user)


def _invited(user: UserRef) -> Q:
    follows = _follows(user)
    before = follows.filter(accepted_at__lt=OuterRef("started_at"))
    named = Invitation.objects.filter(space=OuterRef("pk"), user=user)
    followers = Q(audience=Space.Audience.FOLLOWERS) & (
        Q(Exists(before)) | (Q(earlier_followers_only=False) & Q(Exists(follows)))
    )
    return followers | (Q(audience=Space.Audience.NAMED) & Q(Exists(named)))


def _follows(user: UserRef) -> models.QuerySet[Follow]:
    """Whether `user` follows the host, for a query of Spaces."""
    return Follow.objects.filter(followee=OuterRef("host"), follower=user, state=Follow.State.ACCEPTED)


def _kept_out(user: UserRef) -> Q:
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

    on_stage: "list[Participant]"  # set by SpaceQuerySet.shown_to
    listening: int  # the number of listeners; set by SpaceQuerySet.shown_to

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

    # Verbs
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
        check(cls.hosting_refusal(host, now))
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
    def hosting_refusal(cls, user: User, now: datetime | None = None) -> Reason | None:
        """Why `user` cannot open a Space now, None if they can."""
        already_live = cls.objects.live().filter(host=user).exists()
        return rules.hosting_refusal(user.followers_missing(), not user.in_good_standing(now), already_live)

    @classmethod
    def locked(cls, pk: uuid.UUID) -> "Space":
        """The row, fresh and locked until the transaction ends. Every change of a Space needs this lock."""
        return cls.objects.select_for_update(of=("self",)).select_related("host").get(pk=pk)

    def settle(self, node: str, boot: str, before: str = "", from_ms: int = 0) -> None:
        """Place the sound on this boot of `node`. The boot `before` keeps it until `from_ms` of room time.

        The caller holds the lock.
        """
        self.node, self.boot, self.boot_before, self.boot_from_ms = node, boot, before, from_ms
        self.save(update_fields=["node", "boot", "boot_before", "boot_from_ms"])
        self.sound_changed()

    @transaction.atomic
    def enter(self, user: User) -> "Participant":
        """Let `user` in, or back in. Raises Space.DoesNotExist if they may not know of the Space."""
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
        """Name more people for a live Space of named people. `by` is None for an operator's command.

        Returns how many had not been named before. Safe to repeat. Raises Refused.
        """
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
        """End the Space for everyone. `by` is None for staff and for the sweeps. Safe to repeat."""
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

        A page that knows the number already ignores the frame.
        """
        self._send(protocol.Ended(why=self.ended_why), close=Close.ENDED)  # type: ignore[arg-type]

    def publish(self, event: Sequenced, close: Close | None = None, whom: str = "") -> None:
        """Number `event` and send it to everyone in the Space after commit. The caller holds the lock on the Space.

        `close`, `whom`: as for `events.send`.
        """
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
        """May `by` (None: staff, a sweep, an operator's command) do this here? Raises Refused."""
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
        """Take `user` out of every live Space that they may no longer be in. End their own if they are suspended.

        Their fleet line may change, too: perhaps there are more Spaces now that they may enter.
        """
        for participant in user.participations.astray().select_related("space"):
            participant.recheck()
        events.fleet_changed(own=[user.pk])

    # Who is in it
    def stage(self) -> "ParticipantQuerySet":
        return self.participants.on_stage()

    def listeners(self) -> "ParticipantQuerySet":
        return self.participants.listening()

    def open_requests(self) -> "models.QuerySet[SpeakerRequest]":
        """Requests to speak that wait for the host, in the order of asking."""
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

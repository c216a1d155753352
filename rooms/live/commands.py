"""Command -> verb: one line per command. The consumer calls `carry_out`, which knows no other rule than this table."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from rooms import protocol, rules
from rooms.hls import listeners
from rooms.live import snapshot
from rooms.loops import database
from rooms.models import Participant, SpeakerRequest
from rooms.models.inviting import people_called
from rooms.nodes import offers, turn
from rooms.protocol import Event
from rooms.protocol.commands import OnPerson
from rooms.refusals import Refused, check
from rooms.rules import Action, Reason, Role
from rooms.store import keys
from rooms.store.client import async_redis_client

Verb = Callable[[Participant, Any], object]  # Invited is an answer itself; what others return is not


def _other(me: Participant, command: OnPerson) -> Participant:
    """The person a command is about, in my Space. Whoever is elsewhere is not found."""
    other = Participant.objects.filter(space_id=me.space_id, pk=command.participant).first()
    if other is None:
        raise Refused(Reason.NOT_IN_THE_SPACE)
    return other


def _request(me: Participant, command: protocol.Admit | protocol.Decline) -> SpeakerRequest:
    request = SpeakerRequest.objects.filter(space_id=me.space_id, pk=command.request).first()
    if request is None:
        raise Refused(Reason.ALREADY_DECIDED)
    return request


def _microphone(me: Participant, command: protocol.Microphone) -> None:
    me.open_microphone() if command.open else me.close_microphone()


VERBS: dict[type[protocol.Command], Verb] = {
    protocol.Ask: lambda me, c: me.ask_to_speak(c.text),
    protocol.Withdraw: lambda me, c: me.withdraw(),
    protocol.Admit: lambda me, c: _request(me, c).admit(me),
    protocol.Decline: lambda me, c: _request(me, c).decline(me),
    protocol.AcceptNotice: lambda me, c: me.accept_notice(),
    protocol.Microphone: _microphone,
    protocol.StepDown: lambda me, c: me.step_down(),
    protocol.MutePerson: lambda me, c: _other(me, c).mute_by(me),
    protocol.UnmutePerson: lambda me, c: _other(me, c).unmute_by(me),
    protocol.MoveToAudience: lambda me, c: _other(me, c).move_to_audience(me),
    protocol.RemovePerson: lambda me, c: _other(me, c).remove(me),
    protocol.BlockPerson: lambda me, c: _other(me, c).block(me),
    protocol.Invite: lambda me, c: protocol.Invited(
        new=me.space.invite(people_called(c.handles, me.user), by=me), re=c.id
    ),
    protocol.Leave: lambda me, c: me.leave(),
    protocol.End: lambda me, c: me.space.end(by=me),
}


async def carry_out(me: UUID, command: protocol.Command, tell: listeners.Tell) -> Event:
    """Do what the command says for participant `me`; the answer for the page. Raises Refused, SoundRefused.

    `tell` is for the frames that follow the answer to some."""
    if isinstance(command, protocol.Offer):
        sdp, boot = await offers.answer(me, command.sdp, restart=command.restart, boot=command.boot)
        return protocol.Answer(sdp=sdp, boot=boot, re=command.id)
    if isinstance(command, protocol.Hear):
        return await listeners.hear(me, command, tell)
    if isinstance(command, protocol.Relay):
        return await turn.ice_servers(me, command.id)
    if isinstance(command, protocol.Sync):
        return await take_snapshot(me)
    if isinstance(command, protocol.Ping):
        return protocol.Ok(re=command.id)
    if isinstance(command, protocol.React):
        await _react(me, command.emoji)
        return protocol.Ok(re=command.id)
    return await _verb(me, command)


@database
def _verb(me: UUID, command: protocol.Command) -> Event:
    done = VERBS[type(command)](_present(me), command)
    return done if isinstance(done, protocol.Invited) else protocol.Ok(re=command.id)


@database
def take_snapshot(me: UUID) -> protocol.Snapshot:
    with snapshot.one_moment():
        person = _present(me)
        return snapshot.of(person.space, person)


def _present(me: UUID) -> Participant:
    person = Participant.objects.present().select_related("space__host", "user").filter(pk=me).first()
    if person is None:
        raise Refused(Reason.NOT_IN_THE_SPACE)
    return person


async def _react(me: UUID, emoji: str) -> None:
    key = keys.REACTIONS.format(space=await _reacts_in(me))
    async with async_redis_client().pipeline() as pipe:
        await pipe.hincrby(key, emoji, 1).expire(key, keys.SUM_SECONDS).execute()


@database
def _reacts_in(me: UUID) -> UUID:
    person = _present(me)
    check(rules.refusal(Action.REACT, Role(person.role)))
    return person.space_id

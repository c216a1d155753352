"""Which code carries out which command: one line per command.

VERBS are verbs of the models and run in a thread with the database. ANSWERS are coroutines that make the answer
themselves. The consumer calls `carry_out`.
"""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

from accounts import budgets
from accounts.budgets import Budget
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

Verb = Callable[[Participant, Any], object]  # a verb that returns Invited has made the answer itself
Send = listeners.Send
Answerer = Callable[[UUID, Any, Send], Awaitable[Event]]


def _other(me: Participant, command: OnPerson) -> Participant:
    """The person whom a command is about. People in other Spaces are not found."""
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


#: The budget of each command, counted for one member in one Space; or why it has none.
BUDGETS: dict[type[protocol.Command], Budget | str] = {
    protocol.Sync: budgets.SYNC,
    protocol.Ping: "changes nothing; the rate of frames limits it",
    protocol.Offer: budgets.SOUND,
    protocol.Hear: budgets.SOUND,
    protocol.Relay: "rooms/nodes/turn.py counts it for each member, six a minute",
    protocol.React: "only added up; the rate of frames limits it",
    protocol.Ask: budgets.ASK,
    protocol.Withdraw: "as often as one may ask",
    protocol.Admit: budgets.STAGE,
    protocol.Decline: budgets.STAGE,
    protocol.AcceptNotice: "once for each Space; a second time changes nothing",
    protocol.Microphone: budgets.MICROPHONE,
    protocol.StepDown: "as often as one is let on the stage; no one may be kept on it",
    protocol.MutePerson: "for safety it is never refused; as often as the person opens the microphone",
    protocol.UnmutePerson: budgets.STAGE,
    protocol.MoveToAudience: "for safety it is never refused; as often as one admits",
    protocol.RemovePerson: "for safety it is never refused; once for each person",
    protocol.BlockPerson: "for safety it is never refused; once for each person",
    protocol.Invite: budgets.NAMES,
    protocol.Leave: "no one may be kept in a Space",
    protocol.End: "once for each Space",
}


def _spend(me: UUID, command: protocol.Command) -> None:
    """Count the command. Closing a microphone is never refused. Raises Spent."""
    budget = BUDGETS[type(command)]
    if isinstance(budget, str) or (isinstance(command, protocol.Microphone) and not command.open):
        return
    if isinstance(command, protocol.Invite):
        member = Participant.objects.values_list("user", flat=True).get(pk=me)
        budgets.spend(budget, member, amount=len(set(command.handles)))
    else:
        budgets.spend(budget, me)


_spend_later = database(_spend)


def _hearing(me: UUID) -> Participant:
    return Participant.objects.select_related("space__host", "user").hearing(me)


@database
def take_snapshot(me: UUID) -> protocol.Snapshot:
    """The Space of participant `me` as one frame. Raises Refused if they are not in it."""
    with snapshot.one_moment():
        person = _hearing(me)
        return snapshot.of(person.space, person)


async def _offer(me: UUID, command: protocol.Offer, send: Send) -> Event:
    sdp, boot = await offers.answer(me, command.sdp, restart=command.restart, boot=command.boot)
    return protocol.Answer(sdp=sdp, boot=boot, re=command.id)


async def _react(me: UUID, command: protocol.React, send: Send) -> Event:
    key = keys.REACTIONS.format(space=await _reacts_in(me))
    async with async_redis_client().pipeline() as pipe:
        await pipe.hincrby(key, command.emoji, 1).expire(key, keys.SUM_SECONDS).execute()
    return protocol.Ok(re=command.id)


@database
def _reacts_in(me: UUID) -> UUID:
    person = Participant.objects.hearing(me)
    check(rules.refusal(Action.REACT, Role(person.role)))
    return person.space_id


async def _ping(me: UUID, command: protocol.Ping, send: Send) -> Event:
    return protocol.Ok(re=command.id)


ANSWERS: dict[type[protocol.Command], Answerer] = {
    protocol.Sync: lambda me, c, send: take_snapshot(me),
    protocol.Ping: _ping,
    protocol.Offer: _offer,
    protocol.Hear: lambda me, c, send: listeners.hear(me, c, send),
    protocol.Relay: lambda me, c, send: turn.ice_servers(me, c.id),
    protocol.React: _react,
}


async def carry_out(me: UUID, command: protocol.Command, send: Send) -> Event:
    """Do what the command says for participant `me` and return the answer for the page.

    `send` sends the frames that follow the answer. Raises Refused, SoundRefused, Spent.
    """
    answer = ANSWERS.get(type(command))
    if answer is not None and isinstance(BUDGETS[type(command)], Budget):
        await _spend_later(me, command)
    return await (_verb(me, command) if answer is None else answer(me, command, send))


@database
def _verb(me: UUID, command: protocol.Command) -> Event:
    person = _hearing(me)
    _spend(me, command)
    done = VERBS[type(command)](person, command)
    return done if isinstance(done, protocol.Invited) else protocol.Ok(re=command.id)

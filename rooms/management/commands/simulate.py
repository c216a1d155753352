"""`manage.py simulate`: fills a live Space with simulated members and counts what they hear."""

import asyncio
import json
import time
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from typing import Any

from asgiref.sync import sync_to_async
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from accounts.models import Follow, User
from accounts.shared.counting import counted
from rooms.management.guests import guest
from rooms.management.options import number
from rooms.management.spaces import live_space
from rooms.models import Participant, Space
from rooms.refusals import Refused
from rooms.rules import Role
from rooms.simulation import Guest, Simulation

EXAMPLE = """
Example: a Space of hana's with two more voices and fifty listeners for twenty seconds

  manage.py simulate --space 6f1c... --speakers 2 --listeners 50 --seconds 20

Prints one JSON line. The exit status is 1 if a join failed. Loss is a share of the packets that the listeners should
have received. The members (sim_1, sim_2, ...) follow the host while it runs. To a Space of named people they are
invited, and stay invited.
"""
MOST_LISTENERS = 5000
MOST_SECONDS = 24 * 3600


class Command(BaseCommand):
    help = "Brings simulated members into a live Space: real websockets, real DTLS-SRTP, tones as voices."

    def create_parser(self, *args: Any, **kwargs: Any) -> Any:
        return super().create_parser(*args, epilog=EXAMPLE, formatter_class=RawDescriptionHelpFormatter, **kwargs)

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--space", required=True, help="id of a live Space")
        parser.add_argument("--speakers", default="2", help="voices besides the host's (default 2)")
        parser.add_argument("--listeners", default="50", help="listeners (default 50)")
        parser.add_argument("--seconds", default="20", help="how long they stay (default 20)")
        parser.add_argument("--url", default="", help="address of the site (default: this machine's)")

    def handle(self, *args: Any, **options: Any) -> None:
        space = live_space(options["space"])
        speakers = number(options, "speakers", 1, settings.SPACES_MAX_SPEAKERS)
        listeners = number(options, "listeners", 1, MOST_LISTENERS)
        seconds = number(options, "seconds", 1, MOST_SECONDS)
        members = _members(speakers + listeners)
        url = options["url"] or settings.PUBLIC_URL or f"http://{settings.WEB_HOST}:{settings.WEB_PORT}"
        guests = [guest(user, place < speakers) for place, user in enumerate(members)]
        try:
            _invite(space, members)
            figures = asyncio.run(_run(url, space, guests, seconds))
        finally:
            _unfollow(space, members)
        self.stdout.write(json.dumps(figures))
        if figures["failed_joins"]:
            why = "; ".join(figures["failures"])
            raise CommandError(
                f"{counted(figures['failed_joins'], 'join')} at {url} failed (--url names another address): {why}"
            )


async def _run(url: str, space: Space, guests: list[Guest], seconds: float) -> dict[str, Any]:
    async with Simulation(url, str(space.pk), guests) as simulation:
        await simulation.join_all()
        voices = [guest.participant for guest in guests if guest.speaks and guest.participant]
        await sync_to_async(_admit)(space, voices)
        await simulation.open_microphones()
        start = time.monotonic()
        await asyncio.sleep(seconds)
        return simulation.figures(time.monotonic() - start)


def _members(count: int) -> list[User]:
    """The simulated members sim_1 ... sim_n. They are made once, without a password, and used again."""
    handles = [f"sim_{index + 1}" for index in range(count)]
    known = set(User.objects.filter(handle__in=handles).values_list("handle", flat=True))
    for handle in handles:
        if handle not in known:
            User.objects.create_user(handle, None, display_name=f"Simulated {handle.removeprefix('sim_')}")
    return list(User.objects.filter(handle__in=handles))


def _invite(space: Space, members: list[User]) -> None:
    """Make the members part of the audience, as followers or as named people."""
    if space.audience == Space.Audience.NAMED:
        _name(space, members)
        return
    if space.earlier_followers_only:
        raise CommandError(
            "This Space admits only people who followed its host before the start, so simulated members cannot enter."
        )
    for user in members:
        if user.follow(space.host).state == Follow.State.REQUESTED:
            space.host.approve(user)


def _name(space: Space, members: list[User]) -> None:
    try:
        space.invite(members)
    except Refused as refused:
        raise CommandError(f"{counted(len(members), 'member')} could not be invited: {refused.text}") from None


def _unfollow(space: Space, members: list[User]) -> None:
    for user in members:
        user.unfollow(space.host)


def _admit(space: Space, participants: list[str]) -> None:
    host = space.participants.select_related("user").get(role=Role.HOST)
    for participant in Participant.objects.filter(pk__in=participants):
        try:
            participant.ask_to_speak("simulation").admit(host)
        except Refused as refused:
            raise CommandError(f"{participant} could not be admitted: {refused.text}") from None

"""Who may join: a valid grant, a Space that is here and admits the participant, an offer that can be answered."""

import time
from collections.abc import Mapping

from rooms.media.contract import grant
from rooms.media.live_space import LiveSpace
from rooms.media.network import sdp


class Refused(Exception):
    """A participant may not join. `code` is refused, no_space, no_peer, bad_sdp or full; the message says why."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code


def admit(spaces: Mapping[str, LiveSpace], name: str, secret: str, permission: str) -> tuple[LiveSpace, grant.Grant]:
    """The Space, and what the grant says. Raises Refused if it does not admit its participant here."""
    try:
        granted = grant.read(secret, permission, time.time())
    except grant.GrantRefused as error:
        raise Refused("refused", f"grant {error}") from error
    if granted.space != name:
        raise Refused("refused", "grant for another Space")
    space = spaces.get(name)
    if space is None:
        raise Refused("no_space", "the Space is not on this node")
    if not space.standing.admits(granted.participant):
        raise Refused("refused", "removed from the Space")
    return space, granted


def check_placed(space: LiveSpace, boot: str) -> None:
    """Raise Refused if the Space is placed on another boot. A newcomer would hear silence: the voices are there."""
    if not space.standing.places_on(boot):
        raise Refused("no_space", "the Space is on another node")


def read_offer(offer: str) -> sdp.Offer:
    """Read a browser's SDP offer. Raises Refused if it cannot be answered."""
    try:
        return sdp.parse_offer(offer)
    except sdp.BadSdp as error:
        raise Refused("bad_sdp", str(error)) from error

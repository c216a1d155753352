"""How the web side brings a browser's offer to a media node, and what the node answers."""

import msgspec


class Join(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Body of `POST /spaces/{space}/peers`: a grant (`contract/grant.py`) and the browser's offer.

    `restart`: the offer is an ICE restart of the connection that is there (RFC 8445 section 9).
    """

    grant: str
    sdp: str
    restart: bool = False


class Joined(msgspec.Struct, frozen=True):
    """The node's answer to the offer."""

    sdp: str


class Refusal(msgspec.Struct, frozen=True):
    """The body of every answer that is an error: a code for programs, and the reason in English."""

    error: str
    detail: str

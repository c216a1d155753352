"""Events: what the server sends to a page."""

from typing import Literal

from msgspec import Struct

from rooms.protocol.parts import IceServer, Person, Request, SpaceFacts, You

VERSION = 2


class Event(Struct, kw_only=True, frozen=True, tag_field="type", forbid_unknown_fields=True):
    """What every event is: unnumbered, unless it is `Sequenced`."""


class Sequenced(Event, kw_only=True, frozen=True):
    """An event that changed the Space; `seq` is set by `Space.publish`."""

    seq: int = 0


class Snapshot(Sequenced, tag="snapshot", kw_only=True, frozen=True):
    """The whole Space as it is now; the first frame of every connection.

    `boot` is the one that has the sound. It is empty while no node has it, and in a move until the new node keeps it.
    A page that is connected to another one sends a new offer.
    """

    version: int = VERSION
    now: float
    space: SpaceFacts
    you: You
    stage: list[Person]
    requests: list[Request]
    listeners: int
    faces: list[Person]
    standing: int
    in_effect: int
    boot: str


class Voice(Sequenced, tag="voice", kw_only=True, frozen=True):
    """A person came to the stage, or their microphone there changed.

    `standing` is in effect once `in_effect` names it.
    """

    person: Person
    standing: int


class VoiceGone(Sequenced, tag="voice_gone", kw_only=True, frozen=True):
    """A person left the stage: stepped down, was moved to the audience, left, was removed, or lost the connection."""

    participant: str
    why: Literal["stepped_down", "moved", "left", "removed", "lost"]
    standing: int


class Asked(Sequenced, tag="asked", kw_only=True, frozen=True):
    """A new request to speak, the last of the requests."""

    request: Request


class RequestGone(Sequenced, tag="request_gone", kw_only=True, frozen=True):
    """A request to speak is no longer among the requests."""

    request: str
    participant: str
    how: Literal["admitted", "declined", "withdrawn", "left"]


class Removed(Sequenced, tag="removed", kw_only=True, frozen=True):
    """A person was removed from the Space. Their own connection is closed after this frame (4403)."""

    participant: str
    standing: int


class HostAway(Sequenced, tag="host_away", kw_only=True, frozen=True):
    """The host's connection is lost. The Space ends at `until` (unix seconds) if the host does not come back."""

    until: float


class HostBack(Sequenced, tag="host_back", kw_only=True, frozen=True):
    """The host is back, or here for the first time."""


class Ended(Sequenced, tag="ended", kw_only=True, frozen=True):
    """The Space is over. Connections are closed after this frame (4410)."""

    why: Literal["host", "host_lost", "staff", "suspended"]


class Audience(Event, tag="audience", kw_only=True, frozen=True):
    """How many listen, and in small rooms who came and left since the last such event.

    At most twice a second, every five seconds in the largest rooms.
    """

    listeners: int
    entered: list[Person]
    left: list[str]


class Reactions(Event, tag="reactions", kw_only=True, frozen=True):
    """Emoji that people sent since the last such event, summed.

    At most three times a second, every five seconds in the largest rooms.
    """

    counts: dict[str, int]


class Levels(Event, tag="levels", kw_only=True, frozen=True):
    """Who is heard, and how loud (0 to 100). Five times a second while a voice is heard."""

    levels: dict[str, int]


class InEffect(Event, tag="in_effect", kw_only=True, frozen=True):
    """The media node has applied the standing of this version: the sound now follows what the page shows."""

    standing: int


class Connection(Event, tag="connection", kw_only=True, frozen=True):
    """The state of the receiver's own connection, when it changes, and again while it is not good.

    `why` and `way` are empty if it is good. `way` is `in` for what the receiver hears, `out` for what others hear of
    them. `arrives` is false if their microphone is open and nothing of it has arrived for 1.5 s.
    """

    quality: Literal["good", "fair", "poor"]
    why: Literal["", "loss", "jitter", "delay"]
    way: Literal["", "in", "out"]
    arrives: bool


class SoundMoved(Event, tag="sound_moved", kw_only=True, frozen=True):
    """The sound of this Space has moved to `boot`. A page that is connected to another one sends a new offer.

    For a page that is connected to this one already, a move under way (`sound_moving`) is over.
    """

    boot: str


class SoundMoving(Event, tag="sound_moving", kw_only=True, frozen=True):
    """The sound is moving to `boot`. The one before goes on until everyone has followed.

    `stage`: pages on the stage connect to the new one, too, and send to both. `all`: every page changes to the new one
    at a random moment within the next `within` seconds. `stage` carries `within` already, for pages that miss `all`.
    `over`: the old connections are not needed any more.
    """

    boot: str
    step: Literal["stage", "all", "over"]
    within: float


class Waiting(Event, tag="waiting", kw_only=True, frozen=True):
    """No media node has a place for the receiver, who is number `place` in the queue. At 0 the page sends an offer."""

    place: int


class Answer(Event, tag="answer", kw_only=True, frozen=True):
    """The SDP answer to the offer `re`, and the boot that gave it."""

    sdp: str
    boot: str
    re: int | None = None


class Files(Event, tag="files", kw_only=True, frozen=True):
    """Where the files (HLS) of this Space are: in `folder`, for so many `seconds` with the signature `signed`.

    It answers `hear`, and comes again every few seconds to pages that may still hear. `hls`: whether there are any.
    """

    hls: bool
    folder: str = ""
    signed: str = ""
    seconds: int = 0
    re: int | None = None


class IceServers(Event, tag="ice_servers", kw_only=True, frozen=True):
    """The TURN servers, if any, and the seconds for which their credentials are valid."""

    servers: list[IceServer]
    seconds: int
    re: int | None = None


class Ok(Event, tag="ok", kw_only=True, frozen=True):
    """The command `re` was carried out."""

    re: int | None = None


class Invited(Event, tag="invited", kw_only=True, frozen=True):
    """The command `invite` was carried out. `new` of the people had not been invited before."""

    new: int
    re: int | None = None


class Error(Event, tag="error", kw_only=True, frozen=True):
    """A frame was refused and nothing changed. `code` is named in docs/protocol.md; `text` is for people."""

    code: str
    text: str
    re: int | None = None

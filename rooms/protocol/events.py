"""Events: what the server sends to a page, and the parts of which they are made."""

from typing import Literal

from msgspec import Struct

from rooms.rules import Mute, Role

VERSION = 1


# --- Parts of events ---
class Person(Struct, kw_only=True, frozen=True):
    """Somebody in the Space, as everyone in it may see them."""

    participant: str
    handle: str
    name: str
    avatar: str | None
    role: Role
    mute: Mute
    away: bool = False


class QueuedRequest(Struct, kw_only=True, frozen=True):
    """A request to speak. The queue is in the order of `asked_at` (unix seconds)."""

    request: str
    person: Person
    text: str
    asked_at: float


class SpaceFacts(Struct, kw_only=True, frozen=True):
    space: str
    title: str
    description: str
    audience: str  # followers or named
    host: str
    started_at: float
    max_speakers: int
    host_came: bool  # false from the opening until the host has entered for the first time
    host_away_until: float | None


class You(Struct, kw_only=True, frozen=True):
    """What only the receiver is told about himself."""

    participant: str
    notice_accepted: bool


class IceServer(Struct, kw_only=True, frozen=True):
    """An RTCIceServer of W3C's WebRTC. Whatever prints it, as a log does, prints no credential."""

    urls: list[str]
    username: str
    credential: str

    def __repr__(self) -> str:
        return f"IceServer(urls={self.urls}, username={self.username!r})"


# --- Events: server -> page ---
class Event(Struct, kw_only=True, frozen=True, tag_field="type", forbid_unknown_fields=True):
    pass


class Sequenced(Event, kw_only=True, frozen=True):
    """An event that changed the Space; `seq` is set by `Space.publish`."""

    seq: int = 0


class Snapshot(Sequenced, tag="snapshot", kw_only=True, frozen=True):
    """The whole Space as it is now; the first frame of every connection.

    `node`: the start of a media node that has the sound; empty while none has, and in a move until the new one keeps
    it. Whoever hears another one sends a new offer."""

    version: int = VERSION
    now: float
    space: SpaceFacts
    you: You
    stage: list[Person]
    requests: list[QueuedRequest]
    listeners: int
    faces: list[Person]
    standing: int
    in_effect: int
    node: str


class Voice(Sequenced, tag="voice", kw_only=True, frozen=True):
    """Somebody is on the stage, or the microphone there changed. `standing` is in effect once `in_effect` names it."""

    person: Person
    standing: int


class VoiceGone(Sequenced, tag="voice_gone", kw_only=True, frozen=True):
    """Somebody left the stage: stepped down, moved to the audience, left, or was removed."""

    participant: str
    why: Literal["stepped_down", "moved", "left", "removed", "lost"]
    standing: int


class Asked(Sequenced, tag="asked", kw_only=True, frozen=True):
    """A new request to speak, last in the queue."""

    request: QueuedRequest


class RequestGone(Sequenced, tag="request_gone", kw_only=True, frozen=True):
    """A request to speak is no longer in the queue."""

    request: str
    participant: str
    how: Literal["admitted", "declined", "withdrawn", "left"]


class Removed(Sequenced, tag="removed", kw_only=True, frozen=True):
    """Somebody was removed from the Space; his own connection is closed after this frame (4403)."""

    participant: str
    standing: int


class HostAway(Sequenced, tag="host_away", kw_only=True, frozen=True):
    """The host's connection is lost; the Space ends at `until` (unix seconds) if the host does not come back."""

    until: float


class HostBack(Sequenced, tag="host_back", kw_only=True, frozen=True):
    """The host is back, or here for the first time."""


class Ended(Sequenced, tag="ended", kw_only=True, frozen=True):
    """The Space is over; connections are closed after this frame (4410)."""

    why: Literal["host", "host_lost", "staff", "suspended"]


class Audience(Event, tag="audience", kw_only=True, frozen=True):
    """How many listen, and who came and went since the last such event (small rooms only). At most twice a second,
    every five seconds in the largest rooms."""

    listeners: int
    entered: list[Person]
    left: list[str]


class Reactions(Event, tag="reactions", kw_only=True, frozen=True):
    """Emoji sent by people since the last such event, summed. At most three times a second,
    every five seconds in the largest rooms."""

    counts: dict[str, int]


class Levels(Event, tag="levels", kw_only=True, frozen=True):
    """Who is heard and how loud (0 to 100). Five times a second while somebody is heard."""

    levels: dict[str, int]


class InEffect(Event, tag="in_effect", kw_only=True, frozen=True):
    """The media node has applied the standing of this version: the sound follows what the page shows."""

    standing: int


class Connection(Event, tag="connection", kw_only=True, frozen=True):
    """How the receiver's own connection is. Told where it changes, at most once a second; again while it is not good.

    `why` and `way` are empty where it is good: `in` is what he hears, `out` what others hear of him. `arrives` is false
    where his microphone is open and nothing of it has come for two seconds."""

    quality: Literal["good", "fair", "poor"]
    why: Literal["", "loss", "jitter", "delay"]
    way: Literal["", "in", "out"]
    arrives: bool


class SoundMoved(Event, tag="sound_moved", kw_only=True, frozen=True):
    """The sound of this Space has moved to the media node `node`: whoever hears another one sends a new offer.

    For whoever hears this one already, a move under way (`sound_moving`) is over."""

    node: str


class SoundMoving(Event, tag="sound_moving", kw_only=True, frozen=True):
    """The sound is moving to the media node `node`, and the one before goes on until everybody is there.

    `stage`: whoever is on the stage connects to the new one, too, and sends to both. `all`: everybody hears the new
    one, at a moment of his own within the next `within` seconds, which `stage` tells already for those who miss `all`.
    `over`: nobody needs the old one any more."""

    node: str
    step: Literal["stage", "all", "over"]
    within: float


class Waiting(Event, tag="waiting", kw_only=True, frozen=True):
    """No media node has a place for the receiver: he is number `place` in line; at 0 he sends an offer."""

    place: int


class Answer(Event, tag="answer", kw_only=True, frozen=True):
    """The SDP answer to the offer `re`, and which media node gave it; each start of one has another name."""

    sdp: str
    node: str
    re: int | None = None


class Files(Event, tag="files", kw_only=True, frozen=True):
    """Where the files (HLS) of this Space are: in `folder`, for so many `seconds` with the signature `signed`.

    The answer to `hear`, and again every few seconds for whoever may still hear. `hls`: whether there are any."""

    hls: bool
    folder: str = ""
    signed: str = ""
    seconds: int = 0
    re: int | None = None


class IceServers(Event, tag="ice_servers", kw_only=True, frozen=True):
    """The TURN servers, none where there are none, and for how long their credentials are taken."""

    servers: list[IceServer]
    seconds: int
    re: int | None = None


class Ok(Event, tag="ok", kw_only=True, frozen=True):
    """The command `re` was carried out."""

    re: int | None = None


class Invited(Event, tag="invited", kw_only=True, frozen=True):
    """The command `invite` was carried out: so many of those who were named had not been named before."""

    new: int
    re: int | None = None


class Error(Event, tag="error", kw_only=True, frozen=True):
    """A frame was refused and nothing changed. `code` is named in docs/protocol.md; `text` is for people."""

    code: str
    text: str
    re: int | None = None


EVENTS: tuple[type[Event], ...] = (
    Snapshot,
    Voice,
    VoiceGone,
    Asked,
    RequestGone,
    Removed,
    HostAway,
    HostBack,
    Ended,
    Audience,
    Reactions,
    Levels,
    InEffect,
    Connection,
    SoundMoved,
    SoundMoving,
    Waiting,
    Answer,
    Files,
    IceServers,
    Ok,
    Invited,
    Error,
)

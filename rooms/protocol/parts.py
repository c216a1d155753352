"""Parts of events."""

from msgspec import Struct

from rooms.rules import Mute, Role


class Person(Struct, kw_only=True, frozen=True):
    """A person in the Space, as everyone in it may see them."""

    participant: str
    handle: str
    name: str
    avatar: str | None
    role: Role
    mute: Mute
    away: bool = False


class Request(Struct, kw_only=True, frozen=True):
    """A request to speak. Requests are in the order of `asked_at` (unix seconds)."""

    request: str
    person: Person
    text: str
    asked_at: float


class SpaceFacts(Struct, kw_only=True, frozen=True):
    """What a page shows of a Space beside the people in it. Times are unix seconds."""

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
    """What only the receiver learns about themselves."""

    participant: str
    notice_accepted: bool


class IceServer(Struct, kw_only=True, frozen=True):
    """An RTCIceServer (W3C WebRTC section 4.2.5). Its representation, as in a log, shows no credential."""

    urls: list[str]
    username: str
    credential: str

    def __repr__(self) -> str:
        return f"IceServer(urls={self.urls}, username={self.username!r})"

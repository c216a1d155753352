"""What a bot knows of the Space that it is in, kept up to date by the frames of its websocket."""

from dataclasses import dataclass, field
from typing import Any

Frame = dict[str, Any]


@dataclass
class Replica:
    """The stage and the requests to speak, by the ids of participants and requests."""

    me: str = ""
    notice_accepted: bool = False
    stage: dict[str, Frame] = field(default_factory=dict)
    requests: dict[str, Frame] = field(default_factory=dict)

    def apply(self, frame: Frame) -> None:
        """Follow one frame of the server. Frames about other things change nothing."""
        match frame["type"]:
            case "snapshot":
                self._begin(frame)
            case "voice":
                self.stage[frame["person"]["participant"]] = frame["person"]
            case "voice_gone" | "removed":
                self.stage.pop(frame["participant"], None)
            case "asked":
                self.requests[frame["request"]["request"]] = frame["request"]
            case "request_gone":
                self.requests.pop(frame["request"], None)

    def _begin(self, snapshot: Frame) -> None:
        self.me = snapshot["you"]["participant"]
        self.notice_accepted = snapshot["you"]["notice_accepted"]
        self.stage = {person["participant"]: person for person in snapshot["stage"]}
        self.requests = {request["request"]: request for request in snapshot["requests"]}

    @property
    def mute(self) -> str:
        """`open`, `self` or `host` on the stage; empty in the audience."""
        return str(self.stage[self.me]["mute"]) if self.me in self.stage else ""

    def request_of(self, handle: str) -> Frame | None:
        """The open request of this member."""
        return next((one for one in self.requests.values() if one["person"]["handle"] == handle), None)

    def speaker(self, handle: str) -> str:
        """The participant of this member on the stage; empty if they are not there."""
        return next((pk for pk, person in self.stage.items() if person["handle"] == handle), "")

"""Spaces and who is in them. The verbs here are the only way to change one.

Every verb runs in one transaction with its Space locked, asks `rules`, changes rows, and tells others after commit
through `Space.publish`; what concerns the sound also raises the version of the standing.
"""

from rooms.models.participant import Participant, Turn
from rooms.models.request import SpeakerRequest
from rooms.models.space import Invitation, Space

__all__ = ["Invitation", "Participant", "Space", "SpeakerRequest", "Turn"]

"""Spaces and the people in them. The verbs here are the only way to change one.

Every verb runs in one transaction with its Space locked, asks `rules` and changes rows. After commit, events leave
through `Space.publish`. A change that concerns the sound also raises the version of the standing.
"""

from rooms.models.inviting import Invitation
from rooms.models.participant import Participant
from rooms.models.request import SpeakerRequest
from rooms.models.space import Space
from rooms.models.turn import Turn

__all__ = ["Invitation", "Participant", "Space", "SpeakerRequest", "Turn"]

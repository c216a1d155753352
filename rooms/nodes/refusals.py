"""Why a page gets no sound: the reasons with their texts, and the exception that carries one."""

from enum import StrEnum

from django.utils.translation import gettext_lazy as _

from accounts.shared.refusals import RefusedWith


class SoundReason(StrEnum):
    """Why there is no sound. The value travels on the wire as an error's code."""

    NO_NODE = "no_node"
    FULL = "full"
    REFUSED = "refused"
    BAD_SDP = "bad_sdp"
    NO_SPACE = "no_space"
    NO_PEER = "no_peer"
    NODE_FAULT = "node_fault"
    RELAY_TOO_OFTEN = "relay_too_often"

    @classmethod
    def of_node(cls, code: str) -> "SoundReason":
        """The reason for an error code of a media node. A code that no page needs to know is a fault of the node."""
        return cls(code) if code in set(cls) else cls.NODE_FAULT


TEXTS = {
    SoundReason.NO_NODE: _("The sound server is starting. Trying again automatically."),
    SoundReason.FULL: _("This Space is full at the moment. You are in line, and the sound starts automatically."),
    SoundReason.REFUSED: _("You cannot listen to this Space."),
    SoundReason.BAD_SDP: _("The sound server cannot use the connection that your browser offers. Try another browser."),
    SoundReason.NO_SPACE: _("The sound of this Space is being set up. Trying again automatically."),
    SoundReason.NO_PEER: _("Your audio connection was lost. Reconnecting automatically."),
    SoundReason.NODE_FAULT: _("The sound server could not connect you. Trying again automatically."),
    SoundReason.RELAY_TOO_OFTEN: _("Too many relay requests. Wait a minute and try again."),
}


class SoundRefused(RefusedWith[SoundReason]):
    """A page gets no sound now."""

    texts = TEXTS


check = SoundRefused.check

"""The node in the test's own process, for the parts of the rig that are tried on it."""

from tests.rooms.media.conftest import world

__all__ = ["world"]

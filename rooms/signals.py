"""Signals for the apps above rooms, sent after commit. docs/architecture.md lists the receivers."""

from django.dispatch import Signal

space_started = Signal()  # space: Space
space_ended = Signal()  # space: Space

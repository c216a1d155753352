"""What rooms tells the apps above it, after commit. Receivers call one verb each (docs/architecture.md lists them)."""

from django.dispatch import Signal

space_started = Signal()  # space: Space
space_ended = Signal()  # space: Space

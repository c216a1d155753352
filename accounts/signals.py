"""What accounts tells the apps above it, after commit. Receivers call one verb each (docs/architecture.md lists them)."""

from django.dispatch import Signal

suspended = Signal()  # user: User
blocked = Signal()  # blocker: User, blocked: User

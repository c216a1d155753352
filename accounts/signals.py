"""What accounts tells the apps above it, after commit. Receivers call one verb each (see docs/architecture.md)."""

from django.dispatch import Signal

suspended = Signal()  # user: User
suspension_lifted = Signal()  # user: User
blocked = Signal()  # blocker: User, blocked: User
unblocked = Signal()  # blocker: User, blocked: User
follow_began = Signal()  # follower: User, followee: User; an accepted follow is new
follow_ended = Signal()  # follower: User, followee: User; an accepted follow is over

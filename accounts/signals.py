"""What accounts reports to the apps above it, after commit. Each receiver calls one verb (docs/architecture.md)."""

from django.dispatch import Signal

suspended = Signal()  # user: User
suspension_lifted = Signal()  # user: User
sessions_ended = Signal()  # user: User, only, kept, renewed: digests of sessions (accounts/sessions/endings.py)
blocked = Signal()  # blocker: User, blocked: User
unblocked = Signal()  # blocker: User, blocked: User
follow_began = Signal()  # follower: User, followee: User; the follow is accepted
follow_ended = Signal()  # follower: User, followee: User; it was accepted before

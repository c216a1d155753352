"""What accounts reports to the apps above it. Each receiver calls one verb (docs/architecture.md).

All are sent after commit but `erasing`: what an account leaves behind goes in one transaction, or nothing goes. Its
receivers may raise a refusal.
"""

from django.dispatch import Signal

suspended = Signal()  # user: User
suspension_lifted = Signal()  # user: User
sessions_ended = Signal()  # user: User, only, kept, renewed: digests of sessions (accounts/sessions/endings.py)
blocked = Signal()  # blocker: User, blocked: User
unblocked = Signal()  # blocker: User, blocked: User
follow_began = Signal()  # follower: User, followee: User; the follow is accepted
follow_ended = Signal()  # follower: User, followee: User; it was accepted before
erasing = Signal()  # user: User, not blanked yet; inside the transaction

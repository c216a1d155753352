"""What accounts reports to the apps above it. Each receiver calls one verb (docs/architecture.md).

All are sent after commit but the last ones. `exporting` asks. The others are sent inside the transaction: what an
account leaves behind goes as one, or nothing goes, and a deed is recorded or not done. Receivers of `closing` and
`erasing` may raise a refusal.
"""

from django.dispatch import Signal

suspended = Signal()  # user: User
suspension_lifted = Signal()  # user: User
sessions_ended = Signal()  # user: User, only, kept, renewed: digests of sessions (accounts/sessions/endings.py)
blocked = Signal()  # blocker: User, blocked: User
unblocked = Signal()  # blocker: User, blocked: User
follow_began = Signal()  # follower: User, followee: User; the follow is accepted
follow_ended = Signal()  # follower: User, followee: User; it was accepted before
exporting = Signal()  # user: User; each receiver returns {file name: what goes into it as JSON}
closing = Signal()  # user: User, still active; by: User | None, reason: str
reopening = Signal()  # user: User
erasing = Signal()  # user: User, not blanked yet; inside the transaction
deed = Signal()  # deed: accounts.rules.Deed, person: User, by: User | None, facts: dict; the receiver records it

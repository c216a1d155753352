"""Messages to no one. They cost a request what a message to a member costs, so that its time tells nothing."""

from collections.abc import Sequence

from accounts.models import User

NO_ONE = "no-one@decoy.invalid"  # RFC 2606: such a domain never exists


def decoy() -> User:
    """A member who is not stored. Mail about them goes to NO_ONE."""
    return User(handle="no_one")


def is_decoy(user: User) -> bool:
    return user._state.adding


def only_decoys(recipients: Sequence[str]) -> bool:
    """Whether the worker has to drop a message to these addresses."""
    return set(recipients) <= {NO_ONE}

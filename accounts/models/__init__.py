"""The rows of people: members and staff, who follows whom, who blocked whom, sessions, API tokens."""

from accounts.models.closing import Closing
from accounts.models.export import Export
from accounts.models.joining import SignupLink
from accounts.models.leaving import RetiredHandle
from accounts.models.relations import Block, Follow
from accounts.models.sessions import MemberSession
from accounts.models.tokens import ApiToken, Scope
from accounts.models.user import User, UserManager, avatar_path, lock_people

__all__ = [
    "ApiToken",
    "Block",
    "Closing",
    "Export",
    "Follow",
    "MemberSession",
    "RetiredHandle",
    "Scope",
    "SignupLink",
    "User",
    "UserManager",
    "avatar_path",
    "lock_people",
]

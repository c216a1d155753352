"""The rows of people: members and staff, who follows whom, who blocked whom."""

from accounts.models.leaving import RetiredHandle
from accounts.models.relations import Block, Follow
from accounts.models.user import User, UserManager, avatar_path, lock_people

__all__ = ["Block", "Follow", "RetiredHandle", "User", "UserManager", "avatar_path", "lock_people"]

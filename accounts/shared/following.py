"""Following by pages and the API: asking one person again and again has a budget."""

from accounts import budgets
from accounts.models import User
from accounts.people import Relation


def ask_or_follow(member: User, person: User) -> None:
    """Let `member` follow `person`, or ask to. Raises Refused, and Spent if they asked too often."""
    if person.approves_followers and member.relation_to(person) == Relation.NONE:
        budgets.spend(budgets.FOLLOW_REQUEST, member.pk, person.pk)
    member.follow(person)

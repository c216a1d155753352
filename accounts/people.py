"""Queries for people: each starts from who is looking."""

import enum
import re
from typing import TYPE_CHECKING, Self

from django.contrib.postgres.search import SearchQuery, SearchVector
from django.db import models
from django.db.models import Case, Exists, OuterRef, Q, Value, When
from django.utils import timezone

if TYPE_CHECKING:
    from accounts.models import User

SEARCH_WORDS = 6  # of a query; more words narrow nothing down
NAME_VECTOR = SearchVector("display_name", config="simple")  # the expression of the index: both must be the same


class Relation(enum.StrEnum):
    """What a person is to the one who looks, as far as buttons go."""

    ONESELF = "oneself"
    BLOCKING = "blocking"
    FOLLOWING = "following"
    REQUESTED = "requested"
    NONE = "none"


class PeopleQuerySet(models.QuerySet["User"]):
    """People, narrowed to what the person looking may see."""

    def visible_to(self, viewer: "User") -> Self:
        """Active people who have not blocked `viewer`."""
        return self.filter(is_active=True).exclude(blocking_rows__blocked=viewer)

    def on_terms_with(self, user: "User") -> Self:
        """Active people, none of whom has blocked `user` or is blocked by him."""
        return self.visible_to(user).exclude(blocked_by_rows__blocker=user)

    def in_good_standing(self) -> Self:
        """Active and not suspended now."""
        return self.filter(is_active=True).exclude(suspended_until__gt=timezone.now())

    def with_relation_of(self, viewer: "User") -> Self:
        """Each with `.relation` (a value of Relation): what that person is to `viewer`."""
        follows = viewer.following_rows.filter(followee=OuterRef("pk"))
        return self.annotate(
            relation=Case(
                When(pk=viewer.pk, then=Value(Relation.ONESELF)),
                When(Exists(viewer.blocking_rows.filter(blocked=OuterRef("pk"))), then=Value(Relation.BLOCKING)),
                When(Exists(follows.filter(state="accepted")), then=Value(Relation.FOLLOWING)),
                When(Exists(follows), then=Value(Relation.REQUESTED)),
                default=Value(Relation.NONE),
                output_field=models.CharField(),
            )
        )

    def search(self, query: str) -> Self:
        """People whose handle begins with `query`, or whose name has words that begin with its words; none for ''.

        The most followed first. Chain it: `User.objects.visible_to(me).search("mor")[:20]`."""
        query = query.replace("\0", "").strip().lower()  # PostgreSQL takes no NUL
        words = re.findall(r"\w+", query)[:SEARCH_WORDS]
        if not words:
            return self.none()
        # Quoted words of \w only: nothing in them can be an operator of to_tsquery.
        by_name = SearchQuery(" & ".join(f"'{word}':*" for word in words), config="simple", search_type="raw")
        found = Q(handle__startswith=query.lstrip("@")) | Q(name_words=by_name)
        return self.alias(name_words=NAME_VECTOR).filter(found, is_active=True).order_by("-follower_count", "handle")

    def suggestions_for(self, user: "User") -> Self:
        """People to follow: the most followed whom `user` does not follow and where neither blocked the other."""
        return (
            self.on_terms_with(user)
            .in_good_standing()
            .exclude(pk=user.pk)
            .exclude(follower_rows__follower=user)
            .order_by("-follower_count", "handle")
        )

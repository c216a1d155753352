"""Queries for people. Each starts from the person who looks."""

import enum
import re
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.contrib.postgres.search import SearchQuery, SearchVector
from django.db import models
from django.db.models import Case, Exists, F, OuterRef, Q, Value, When
from django.db.models.functions import Greatest
from django.utils import timezone

if TYPE_CHECKING:
    from accounts.models import User

SEARCH_WORDS = 6  # of a query; the words after that are ignored
NAME_VECTOR = SearchVector("display_name", config="simple")  # has to be the same expression as in the index


class Relation(enum.StrEnum):
    """What a person is to the person who looks: decides which buttons a page shows."""

    ONESELF = "oneself"
    BLOCKING = "blocking"
    FOLLOWING = "following"
    REQUESTED = "requested"
    NONE = "none"


class PeopleQuerySet(models.QuerySet["User"]):
    """People, narrowed to those whom the person who looks may see."""

    def visible_to(self, viewer: "User") -> Self:
        """Active people who have not blocked `viewer`."""
        return self.filter(is_active=True).exclude(blocking_rows__blocked=viewer)

    def on_terms_with(self, user: "User") -> Self:
        """Active people who have not blocked `user` and are not blocked by `user`."""
        return self.visible_to(user).exclude(blocked_by_rows__blocker=user)

    def in_good_standing(self) -> Self:
        """Active and not suspended now."""
        return self.filter(is_active=True).exclude(suspended_until__gt=timezone.now())

    def prove(self, now: datetime) -> int:
        """Note that these have shown to be people. Returns of how many that is new. Safe to repeat.

        Each counts as a follower from `now` on, or from the day on which the account is old enough.
        """
        old_enough = F("date_joined") + timedelta(days=settings.SPACES_FOLLOWER_DAYS)
        unproven = self.filter(counts_from=None)
        return unproven.update(counts_from=Greatest(Value(now), old_enough, output_field=models.DateTimeField()))

    def with_relation_of(self, viewer: "User") -> Self:
        """Each person with `.relation`, a value of Relation: what they are to `viewer`."""
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
        """People whose handle begins with `query`, or whose name has words that begin with its words.

        The most followed come first. An empty query finds no one.
        Chain it: `User.objects.visible_to(me).search("mor")[:20]`.
        """
        query = query.replace("\0", "").strip().lower()  # PostgreSQL takes no NUL
        words = re.findall(r"\w+", query)[:SEARCH_WORDS]
        if not words:
            return self.none()
        # Quoted words of only \w hold no operator of to_tsquery.
        by_name = SearchQuery(" & ".join(f"'{word}':*" for word in words), config="simple", search_type="raw")
        found = Q(handle__startswith=query.lstrip("@")) | Q(name_words=by_name)
        return self.alias(name_words=NAME_VECTOR).filter(found, is_active=True).order_by("-follower_count", "handle")

    def suggestions_for(self, user: "User") -> Self:
        """People to follow: the most followed whom `user` does not follow yet, without blocks on either side."""
        return (
            self.on_terms_with(user)
            .in_good_standing()
            .exclude(pk=user.pk)
            .exclude(follower_rows__follower=user)
            .order_by("-follower_count", "handle")
        )

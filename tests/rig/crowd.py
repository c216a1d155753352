"""Followers by the hundred, made at once, as a script would make them."""

from django.utils import timezone

from accounts.models import Follow, User


def crowd(host: User, number: int = 600, **fields: object) -> list[User]:
    """`number` people who follow `host`. `fields` are columns of theirs."""
    people = [User(handle=f"person_{at}", **fields) for at in range(number)]
    User.objects.bulk_create(people)
    now = timezone.now()
    follows = [Follow(follower=one, followee=host, state="accepted", created_at=now, accepted_at=now) for one in people]
    Follow.objects.bulk_create(follows)
    User.objects.filter(pk=host.pk).update(follower_count=number)
    host.refresh_from_db()
    return people

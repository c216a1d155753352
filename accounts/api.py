"""REST for programs: one person, follow and unfollow, by a token (`Authorization: Bearer ...`) or the session."""

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import api_view
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import User
from accounts.people import PeopleQuerySet, Relation
from accounts.rules import FOLLOW_REASONS
from accounts.shared.answers import RefusalSerializer
from accounts.shared.following import ask_or_follow
from accounts.shared.requests import member


class ProfileSerializer(serializers.ModelSerializer[User]):
    """A person, as the member who asks sees them."""

    relation = serializers.ChoiceField(
        choices=[(relation.value, relation.value) for relation in Relation],
        read_only=True,
        help_text="What this person is to the member who asks.",
    )
    name = serializers.CharField(read_only=True, help_text="The display name, or the handle if there is none.")

    class Meta:
        model = User
        fields = ["handle", "name", "bio", "avatar", "follower_count", "approves_followers", "relation"]
        read_only_fields = fields


REFUSED = OpenApiResponse(RefusalSerializer, f"Refused. `code` is one of: {', '.join(FOLLOW_REASONS)}.")


def visible_people(request: Request) -> PeopleQuerySet:
    return User.objects.visible_to(member(request)).with_relation_of(member(request))


@extend_schema(operation_id="person", tags=["people"], responses={200: ProfileSerializer})
@api_view(["GET"])
def person(request: Request, handle: str) -> Response:
    """One person: name, picture, number of followers, and what they are to you."""
    return person_answer(request, handle)


@extend_schema(
    methods=["POST"],
    operation_id="follow",
    tags=["people"],
    request=None,
    responses={200: ProfileSerializer, 403: REFUSED},
    description="Follow this person, or ask to if they approve each follower; `relation` says which. Safe to repeat.",
)
@extend_schema(
    methods=["DELETE"],
    operation_id="unfollow",
    tags=["people"],
    request=None,
    responses={204: None},
    description="Unfollow this person, or withdraw the request to follow. Safe to repeat.",
)
@api_view(["POST", "DELETE"])
def follow(request: Request, handle: str) -> Response:
    found = get_object_or_404(visible_people(request), handle=handle)
    if request.method == "DELETE":
        member(request).unfollow(found)
        return Response(status=status.HTTP_204_NO_CONTENT)
    ask_or_follow(member(request), found)
    return person_answer(request, handle)


def person_answer(request: Request, handle: str) -> Response:
    found = get_object_or_404(visible_people(request), handle=handle)
    return Response(ProfileSerializer(found, context={"request": request}).data)

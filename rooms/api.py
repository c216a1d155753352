"""REST for programs: the Spaces that a member may enter, and one of them as it is now. By token or session."""

from uuid import UUID

import msgspec
from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import generics, serializers
from rest_framework.decorators import api_view
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.shared.requests import member
from rooms.live import snapshot
from rooms.models import Space


class PersonSerializer(serializers.Serializer[object]):
    """A person in a Space, as everyone in it may see them."""

    participant = serializers.UUIDField()
    handle = serializers.CharField()
    name = serializers.CharField()
    avatar = serializers.CharField(allow_null=True)
    role = serializers.ChoiceField(choices=[("host", "host"), ("speaker", "speaker"), ("listener", "listener")])
    mute = serializers.ChoiceField(choices=[("open", "open"), ("self", "self"), ("host", "host")])
    away = serializers.BooleanField()


class SpaceSerializer(serializers.ModelSerializer[Space]):
    """A live Space in the list of those that you may enter."""

    host = serializers.CharField(source="host.handle")
    listeners = serializers.IntegerField(source="listening")
    stage = serializers.SerializerMethodField()

    class Meta:
        model = Space
        fields = ["id", "title", "description", "host", "audience", "started_at", "listeners", "stage"]
        read_only_fields = fields

    def get_stage(self, space: Space) -> list[str]:
        return [person.user.handle for person in space.on_stage]


class SpaceNowSerializer(serializers.Serializer[object]):
    """One Space as it is now. `seq` is the number of its last event; times are unix seconds."""

    id = serializers.UUIDField()
    seq = serializers.IntegerField()
    title = serializers.CharField()
    description = serializers.CharField()
    audience = serializers.ChoiceField(choices=Space.Audience.choices)
    host = serializers.CharField()
    started_at = serializers.FloatField()
    host_came = serializers.BooleanField(help_text="False until the host has entered for the first time.")
    host_away_until = serializers.FloatField(allow_null=True)
    max_speakers = serializers.IntegerField()
    listeners = serializers.IntegerField()
    stage = PersonSerializer(many=True)
    requests = serializers.IntegerField(help_text="How many people are asking to speak.")


class SpaceList(generics.ListAPIView[Space]):
    """The live Spaces that you may enter, the fullest first. Those of people you do not follow are `requests`."""

    serializer_class = SpaceSerializer
    queryset = Space.objects.none()

    def get_queryset(self) -> QuerySet[Space]:
        return Space.objects.shown_to(member(self.request))


class RequestSerializer(serializers.ModelSerializer[Space]):
    """An invitation of a person whom you do not follow. It has no title: `space` has it."""

    host = serializers.CharField(source="host.handle")

    class Meta:
        model = Space
        fields = ["id", "host", "started_at"]
        read_only_fields = fields


class RequestList(generics.ListAPIView[Space]):
    """The live Spaces to which people invite you whom you do not follow, the newest first."""

    serializer_class = RequestSerializer
    queryset = Space.objects.none()

    def get_queryset(self) -> QuerySet[Space]:
        return Space.objects.invitations_of_strangers(member(self.request))


@extend_schema(operation_id="space", tags=["spaces"], responses={200: SpaceNowSerializer})
@api_view(["GET"])
def space(request: Request, space: UUID) -> Response:
    """One Space that you may enter: stage, numbers, state. 404 for everyone else."""
    me = member(request)
    with snapshot.one_moment():
        room = get_object_or_404(Space.objects.enterable_by(me).select_related("host"), pk=space)
        facts = msgspec.to_builtins(snapshot.facts(room))
        facts["id"] = facts.pop("space")
        stage = [msgspec.to_builtins(person.person()) for person in room.stage()]
        numbers = {"seq": room.seq, "listeners": room.listener_count, "requests": room.open_requests().count()}
    return Response(SpaceNowSerializer(facts | numbers | {"stage": stage}).data)

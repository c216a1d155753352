"""Recordings in the admin, read-only. Their sound can be played only from a case."""

from datetime import timedelta

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from accounts.shared.admin import ReadOnlyAdmin
from recordings.models import Hold, Receipt, Recording, Track
from rooms.templatetags.spaces import clock


class HoldInline(admin.TabularInline[Hold, Recording]):
    """Why the sound is still kept."""

    model = Hold
    fields = ("kind", "case_ref", "until", "renewals", "by", "reason", "released_at", "released_by")
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Recording | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Recording | None = None) -> bool:
        return False


@admin.register(Recording)
class RecordingAdmin(ReadOnlyAdmin):
    list_display = ["title", "state", "started_at", "ended_at", "purge_at", "held_by", "length", "progress", "attempts"]
    list_filter = ["state", "started_at", "purge_at"]
    list_select_related = ["space"]
    search_fields = ["=id", "=space__id", "space__title"]
    date_hierarchy = "started_at"
    inlines = [HoldInline]
    exclude = ["mix_key", "mix_sha256", "waveform_key", "waveform_sha256"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Recording]:
        return super().get_queryset(request).prefetch_related("holds")

    @admin.display(description=_("space"), ordering="space__title")
    def title(self, recording: Recording) -> str:
        return recording.space.title

    @admin.display(description=_("held because of"))
    def held_by(self, recording: Recording) -> SafeString:
        now = timezone.now()
        active = [hold for hold in recording.holds.all() if hold.is_active(now)]
        return format_html_join(", ", "{}", ((hold,) for hold in active))

    @admin.display(description=_("length"), ordering="duration_ms")
    def length(self, recording: Recording) -> str:
        return clock(timedelta(milliseconds=recording.duration_ms))


@admin.register(Track)
class TrackAdmin(ReadOnlyAdmin):
    list_display = ["id", "kind", "participant", "recording"]
    list_filter = ["kind"]
    list_select_related = ["recording", "participant__user"]
    search_fields = ["=recording__id", "=recording__space__id", "=participant__id", "participant__user__handle"]


@admin.register(Hold)
class HoldAdmin(ReadOnlyAdmin):
    list_display = ["case_ref", "kind", "recording", "until", "renewals", "by", "released_at", "released_by"]
    list_filter = ["kind", "until", "released_at"]
    list_select_related = ["recording", "by", "released_by"]
    search_fields = ["=case_ref", "=recording__id", "=recording__space__id"]
    date_hierarchy = "until"


@admin.register(Receipt)
class ReceiptAdmin(ReadOnlyAdmin):
    list_display = ["space", "purged_at", "due_at", "why", "tracks", "chunks", "files", "octets", "digest"]
    list_filter = ["why", "purged_at"]
    search_fields = ["=space", "=recording", "=digest"]
    date_hierarchy = "purged_at"

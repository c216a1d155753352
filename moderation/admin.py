"""The lists of cases and of audit events in the admin. The page of a case is the desk (`moderation/desk/pages.py`)."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timesince import timesince
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from accounts.shared.admin import ReadOnlyAdmin
from moderation.desk import pages
from moderation.models import AuditDetail, AuditEvent, Case, MetadataReceipt
from moderation.severity import Severity
from rooms.models import Participant, Space


class StateFilter(admin.SimpleListFilter):
    """Shows open cases by default."""

    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("free", _("unclaimed")), ("mine", _("claimed by me")), ("decided", _("decided")), ("all", _("all"))]

    def choices(self, changelist: ChangeList) -> Iterator[Any]:
        first, *others = super().choices(changelist)
        yield {**first, "display": gettext("open")}
        yield from others

    def queryset(self, request: HttpRequest, queryset: QuerySet[Case]) -> QuerySet[Case]:
        now = timezone.now()
        cases: Any = queryset
        chosen = {
            "free": lambda: cases.free(now),
            "mine": lambda: cases.claimed_by_now(request.user, now),
            "decided": lambda: cases.filter(state=Case.State.DECIDED),
            "all": lambda: cases,
        }
        return chosen.get(self.value() or "", cases.open)()


class LiveFilter(admin.SimpleListFilter):
    title = _("Space")
    parameter_name = "live"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("1", _("live now"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Case]) -> QuerySet[Case]:
        return queryset.filter(space__state=Space.State.LIVE) if self.value() else queryset


@admin.register(Case)
class CaseAdmin(ReadOnlyAdmin):
    list_display = ["about", "urgency", "reports_count", "where", "age", "state_now"]
    list_display_links = ["about"]
    list_filter = [StateFilter, LiveFilter, "severity"]
    list_per_page = 50
    list_select_related = ["space__host", "subject", "claimed_by"]
    search_fields = ["subject__handle", "space__title", "space__host__handle"]
    search_help_text = _("Handle of the person or the host, or title of the Space")
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER

    def get_ordering(self, request: HttpRequest) -> list[Any]:
        return ["-severity", "-live", "opened_at"]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return super().changelist_view(request, {"title": gettext("Cases")} | (extra_context or {}))

    def get_queryset(self, request: HttpRequest) -> QuerySet[Case]:
        inside = Participant.objects.present().filter(space=OuterRef("space"), user=OuterRef("subject"))
        cases = Case.objects.visible_to(request.user)  # type: ignore[arg-type]
        return cases.annotate(number=Count("reports"), live=Q(space__state=Space.State.LIVE), inside=Exists(inside))

    def get_urls(self) -> list[URLPattern]:
        return [
            path(f"<uuid:case>/{step}", self.admin_site.admin_view(view), name=f"moderation_case_{name}")
            for step, name, view in pages.STEPS
        ] + super().get_urls()

    def change_view(self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any) -> HttpResponse:
        return pages.page(request, object_id)  # type: ignore[return-value, arg-type]

    # Columns

    @admin.display(description=_("about"), ordering="subject__handle")
    def about(self, case: Case) -> str:
        return f"@{case.subject.handle}"

    @admin.display(description=_("severity"), ordering="-severity")
    def urgency(self, case: Case) -> SafeString:
        severity = Severity(case.severity)
        return format_html('<span class="badge severity-{}">{}</span>', severity.value, severity.label)

    @admin.display(description=_("reports"), ordering="number")
    def reports_count(self, case: Any) -> str:
        return ngettext("%(number)s report", "%(number)s reports", case.number) % {"number": case.number}

    @admin.display(description=_("Space"))
    def where(self, case: Any) -> SafeString:
        if case.space.state != Space.State.LIVE:
            return format_html('{} <span class="quiet">@{}</span>', case.space.title, case.space.host.handle)
        words = gettext("live now, still inside") if case.inside else gettext("live now, has left")
        return format_html('{} <span class="badge badge-live">{}</span>', case.space.title, words)

    @admin.display(description=_("age"), ordering="opened_at")
    def age(self, case: Case) -> str:
        new = timezone.now() - case.opened_at < timedelta(minutes=1)
        return gettext("just now") if new else timesince(case.opened_at, depth=1)

    @admin.display(description=_("state"), ordering="state")
    def state_now(self, case: Case) -> str:
        holder = case.holder()
        if holder is not None:
            return gettext("claimed by %(who)s") % {"who": holder.name}
        lapsed = case.state == Case.State.CLAIMED
        return gettext("unclaimed again (claim expired)") if lapsed else str(case.get_state_display())


@admin.register(AuditEvent)
class AuditEventAdmin(ReadOnlyAdmin):
    """Who did what. Read-only, for staff with the permission. Reporters are named at the desk only, with the claim."""

    list_display = ("at", "verb", "who", "touched")
    fields = readonly_fields = ("at", "verb", "who", "touched", "facts")
    list_filter = ["verb"]
    date_hierarchy = "at"
    search_fields = ["actor"]
    show_full_result_count = False

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        return not lookup.startswith("actor") and super().lookup_allowed(lookup, value, request)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[AuditEvent], search_term: str
    ) -> tuple[QuerySet[AuditEvent], bool]:
        """Leave out reports from a search for a person: it would show what they reported."""
        found, may_repeat = super().get_search_results(request, queryset, search_term)
        return (found.exclude(verb=AuditEvent.Verb.REPORT_FILED) if search_term else found), may_repeat

    @admin.display(description=_("actor"), ordering="actor")
    def who(self, event: AuditEvent) -> str:
        return gettext("a member") if event.verb == AuditEvent.Verb.REPORT_FILED else str(event.actor or "-")

    @admin.display(description=_("facts"))
    def facts(self, event: AuditEvent) -> str:
        """What may be erased: the reason of a deed, which sound was fetched."""
        detail = AuditDetail.objects.filter(event=event).first()
        return "; ".join(f"{name}: {value}" for name, value in sorted(detail.facts.items())) if detail else "-"

    @admin.display(description=_("objects"))
    def touched(self, event: AuditEvent) -> str:
        return ", ".join(f"{name} {key}" for name, key in sorted(event.objects_touched.items()))


@admin.register(MetadataReceipt)
class MetadataReceiptAdmin(ReadOnlyAdmin):
    list_display = ("space", "ended_at", "participations", "requests", "invitations", "purged_at")
    search_fields = ("=space",)
    date_hierarchy = "purged_at"

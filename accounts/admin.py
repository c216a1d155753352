"""People in the admin: find them, grant the right to host, lift a suspension. Accounts are never deleted here."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.forms import AdminUserCreationForm
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Block, Follow, User
from accounts.shared.admin import ReadOnlyAdmin

# Only superusers change these. Clearing `is_active` locks a person out without a reason or a notice; a case gives both.
RIGHTS = ("is_staff", "is_superuser", "groups", "user_permissions")
SUPERUSERS_ONLY = (*RIGHTS, "is_active")


class SuspendedFilter(admin.SimpleListFilter):
    title = _("suspended")
    parameter_name = "suspended"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("yes", _("Yes")), ("no", _("No"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[User]) -> QuerySet[User]:
        now = timezone.now()
        if self.value() == "yes":
            return queryset.filter(suspended_until__gt=now)
        return queryset.exclude(suspended_until__gt=now) if self.value() == "no" else queryset


class NewPersonForm(AdminUserCreationForm):
    class Meta:
        model = User
        fields = ("handle", "display_name")


@admin.register(User)
class PersonAdmin(UserAdmin):
    list_display = ("handle", "display_name", "follower_count", "may_host", "suspended_until", "is_staff", "is_active")
    list_filter = ("may_host", SuspendedFilter, "is_staff", "is_active")
    search_fields = ("handle", "display_name", "email")
    search_help_text = _("Handle, name or email address")
    ordering = ("handle",)
    show_full_result_count = False
    filter_horizontal = ("groups", "user_permissions")
    readonly_fields = ("follower_count", "suspended_until", "date_joined", "last_login")
    actions = ("grant_hosting", "take_hosting_back", "lift_suspension")  # a suspension needs a case: see moderation
    add_form = NewPersonForm
    fieldsets = (
        (None, {"fields": ("handle", "display_name", "bio", "password", "email")}),
        (_("Hosting"), {"fields": ("follower_count", "may_host", "approves_followers")}),
        (_("Account"), {"fields": ("is_active", "suspended_until", "date_joined", "last_login")}),
        (_("Rights"), {"fields": RIGHTS}),
    )
    add_fieldsets = ((None, {"fields": ("handle", "display_name", "usable_password", "password1", "password2")}),)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return False

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> tuple[str, ...]:
        fixed = self.readonly_fields + (("handle",) if obj else ())
        return fixed if request.user.is_superuser else fixed + SUPERUSERS_ONLY

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Staff may change members. Only superusers may change staff."""
        may = super().has_change_permission(request, obj)
        return may and (request.user.is_superuser or obj is None or not (obj.is_staff or obj.is_superuser))

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        """Write only what was changed: other fields may have new values since the page was opened."""
        if not change:
            obj.save()
            return
        named = {field.name for field in User._meta.concrete_fields if field.name in form.changed_data}
        if rest := named - {"is_active"}:
            obj.save(update_fields=rest)
        if "is_active" in named:
            (obj.activate if obj.is_active else obj.deactivate)()

    def has_grant_hosting_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("accounts.grant_hosting")

    @admin.action(description=_("Let them host without enough followers"), permissions=["grant_hosting"])
    def grant_hosting(self, request: HttpRequest, people: QuerySet[User]) -> None:
        for member in people.filter(may_host=False):
            member.grant_hosting()
            self.log_change(request, member, "May host without enough followers.")

    @admin.action(description=_("Withdraw the right to host without enough followers"), permissions=["grant_hosting"])
    def take_hosting_back(self, request: HttpRequest, people: QuerySet[User]) -> None:
        for member in people.filter(may_host=True):
            member.grant_hosting(False)
            self.log_change(request, member, "May no longer host without enough followers.")

    @admin.action(description=_("Lift the suspension"), permissions=["change"])
    def lift_suspension(self, request: HttpRequest, people: QuerySet[User]) -> None:
        for member in people.filter(suspended_until__isnull=False):
            member.lift_suspension()
            self.log_change(request, member, "Suspension lifted.")


@admin.register(Follow)
class FollowAdmin(ReadOnlyAdmin):
    list_display = ("follower", "followee", "state", "created_at", "accepted_at")
    list_select_related = ("follower", "followee")
    list_filter = ("state",)
    search_fields = ("=follower__handle", "=followee__handle")


@admin.register(Block)
class BlockAdmin(ReadOnlyAdmin):
    list_display = ("blocker", "blocked", "created_at")
    list_select_related = ("blocker", "blocked")
    search_fields = ("=blocker__handle", "=blocked__handle")

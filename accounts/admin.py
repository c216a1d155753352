"""People in the admin: find them, and do what changes their rights. Accounts are never deleted here."""

from functools import partial
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.forms import AdminUserCreationForm
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import URLPattern
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Block, Follow, User
from accounts.shared.admin import ReadOnlyAdmin
from accounts.staff import deeds

RIGHTS = ("is_staff", "is_superuser", "groups", "user_permissions")
STANDING = ("may_host", "is_active", "suspended_until")
READ_ONLY = ("handle", "email", "follower_count", "approves_followers", "date_joined", "last_login", *STANDING, *RIGHTS)
WRITABLE = ("display_name", "bio")  # names and texts that break the rules


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
    """Rights and standing change by actions with a reason (`accounts/staff/deeds.py`). Passwords are not set here."""

    list_display = ("handle", "display_name", "follower_count", "may_host", "suspended_until", "is_staff", "is_active")
    list_filter = ("may_host", SuspendedFilter, "is_staff", "is_active")
    search_fields = ("handle", "display_name", "email")
    search_help_text = _("Handle, name or email address")
    ordering = ("handle",)
    show_full_result_count = False
    form = forms.ModelForm
    add_form = NewPersonForm
    fieldsets = (
        (None, {"fields": ("handle", "display_name", "bio", "email")}),
        (_("Hosting"), {"fields": ("follower_count", "may_host", "approves_followers")}),
        (_("Account"), {"fields": ("is_active", "suspended_until", "date_joined", "last_login")}),
        (_("Rights"), {"fields": RIGHTS}),
    )
    add_fieldsets = ((None, {"fields": ("handle", "display_name", "usable_password", "password1", "password2")}),)

    def get_urls(self) -> list[URLPattern]:
        """Without the page that sets a password: staff could log in as anyone."""
        return [one for one in super().get_urls() if one.name != "auth_user_password_change"]

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return False

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> tuple[str, ...]:
        return READ_ONLY if obj else ()

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Staff may change members. Only superusers may change staff."""
        may = super().has_change_permission(request, obj)
        return may and (request.user.is_superuser or obj is None or not obj.rank)

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        """Write only what was changed: other fields may have new values since the page was opened."""
        if not change:
            obj.save()
        elif named := set(WRITABLE) & set(form.changed_data):
            obj.save(update_fields=named)

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        offered = deeds.offered_to(request.user)  # type: ignore[arg-type]
        return {name: (partial(deeds.ask, name), name, str(action.label)) for name, action in offered.items()}


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

"""The actions in the list of people that change rights or standing. A page of its own asks for the reason of each."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.contrib.auth.models import Group
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from accounts.models import Closing, User
from accounts.names.fields import PlainTextField
from accounts.refusals import check
from accounts.rules import Deed, Reason
from accounts.shared.refusals import RefusedWith

REASON_LENGTH = 500
AT_ONCE = 100  # people, at most


@dataclass(frozen=True)
class Action:
    """An entry in the menu of actions. `verb` takes the person, `group` if it is about a group, `by` and `reason`."""

    deed: Deed
    label: Promise
    verb: Callable[..., None]
    about_group: bool = False


def close(person: User, by: User, reason: str) -> None:
    """Close the account of another person. The page on which one closes one's own asks for the password."""
    check(Reason.DEED_ON_YOURSELF if by.pk == person.pk else None)
    Closing.start(person, by=by, reason=reason)


ACTIONS = {
    "grant_hosting": Action(Deed.HOSTING_GRANTED, _("Let them host without enough followers"), User.grant_hosting),
    "withdraw_hosting": Action(
        Deed.HOSTING_WITHDRAWN, _("Withdraw the right to host without enough followers"), User.withdraw_hosting
    ),
    # A suspension needs a case: see moderation.
    "lift_suspension": Action(Deed.SUSPENSION_LIFTED, _("Lift the suspension"), User.lift_suspension),
    "deactivate": Action(Deed.LOCKED, _("Disable the account"), User.deactivate),
    "activate": Action(Deed.UNLOCKED, _("Enable the account"), User.activate),
    "close": Action(Deed.CLOSED, _("Close the account, to be erased after some days"), close),
    "make_staff": Action(Deed.STAFF_MADE, _("Make staff"), User.make_staff),
    "join": Action(Deed.GROUP_JOINED, _("Add to a group of staff"), User.join, about_group=True),
    "leave": Action(Deed.GROUP_LEFT, _("Remove from a group of staff"), User.leave, about_group=True),
    "end_staff": Action(Deed.STAFF_ENDED, _("End being staff"), User.end_staff),
    "make_superuser": Action(Deed.SUPERUSER_MADE, _("Make superusers"), User.make_superuser),
    "reset_second_factor": Action(Deed.FACTOR_RESET, _("Reset the second factor"), User.reset_second_factor),
    "end_superuser": Action(Deed.SUPERUSER_ENDED, _("End being superusers"), User.end_superuser),
}


class DeedForm(forms.Form):
    group = forms.ModelChoiceField(Group.objects.order_by("name"), label=_("Group"))
    reason = PlainTextField(
        label=_("Reason"),
        max_length=REASON_LENGTH,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("It is kept in the audit trail, and all superusers are told."),
    )

    def __init__(self, action: Action, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not action.about_group:
            del self.fields["group"]


def offered_to(staff: User) -> dict[str, Action]:
    return {name: action for name, action in ACTIONS.items() if staff.may_do(action.deed)}


def ask(name: str, admin: ModelAdmin[User], request: HttpRequest, people: QuerySet[User]) -> HttpResponse | None:
    """The page that asks for a reason. If it is given, do the deed and go back to the list."""
    action, chosen = ACTIONS[name], list(people[:AT_ONCE])
    form = DeedForm(action, request.POST if "reason" in request.POST else None)
    if form.is_valid():
        _do(action, chosen, request, form.cleaned_data)
        return None
    context = admin.admin_site.each_context(request) | {
        "title": action.label,
        "opts": admin.opts,
        "people": chosen,
        "action": name,
        "form": form,
    }
    return render(request, "admin/accounts/user/deed.html", context)


def _do(action: Action, people: list[User], request: HttpRequest, given: dict[str, Any]) -> None:
    done = 0
    for person in people:
        try:
            action.verb(person, by=request.user, **given)
            done += 1
        except RefusedWith as refused:
            messages.error(request, f"{person}: {refused.text}")
    if done:
        text = ngettext("Done for %(number)d account.", "Done for %(number)d accounts.", done)
        messages.success(request, text % {"number": done})

"""Whose handles and names others may not imitate: the service, its staff, and people who host."""

import re

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from accounts.names.lookalikes import skeleton

#: Words that stand for the service. A handle may have none of them as a part, and a name not two of them.
SERVICE = frozenset(
    ["spaces", "admin", "administrator", "moderator", "moderation", "safety", "support", "official", "staff"]
)
WITH_THEM = SERVICE | {"team", "security", "help"}
SERVICE_SKELETONS = frozenset(map(skeleton, SERVICE))


def refuse_imitation(handle: str) -> None:
    """Raise ValidationError if this new handle has a word of the service, or looks like that of staff or of a host."""
    parts = {skeleton(re.sub(r"\d+$", "", part)) for part in handle.split("_")}
    if parts & SERVICE_SKELETONS:
        raise ValidationError(_("This handle is reserved. Please choose another one."), code="handle_reserved")
    hosts = Q(may_host=True) | Q(follower_count__gte=max(1, settings.SPACES_MIN_FOLLOWERS))
    protected = User.objects.filter(Q(is_staff=True) | Q(is_superuser=True) | hosts, skeleton=skeleton(handle))
    if protected.exclude(handle=handle).exists():
        raise ValidationError(
            _("This handle looks like that of another person. Please choose another one."), code="handle_lookalike"
        )


def refuse_borrowed_name(name: str, person: User | None = None) -> None:
    """Raise ValidationError if this display name stands for the service or looks like that of a member of staff."""
    if person is not None and person.is_staff:
        return
    words = [skeleton(word) for word in re.split(r"\W+", name) if word]
    known = frozenset(map(skeleton, WITH_THEM))
    if skeleton(name) in SERVICE_SKELETONS or len(set(words) & known) > 1:
        raise ValidationError(_("This name stands for the people who run this site."), code="name_reserved")
    drawn = skeleton(name)
    staff = User.objects.filter(Q(is_staff=True) | Q(is_superuser=True), is_active=True).values_list(
        "handle", "display_name"
    )
    if drawn and any(drawn in (skeleton(handle), skeleton(shown)) for handle, shown in staff):
        raise ValidationError(_("This name looks like that of a member of staff."), code="name_lookalike")

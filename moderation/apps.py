from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate, post_save
from django.utils.translation import gettext_lazy as _


class ModerationConfig(AppConfig):
    name = "moderation"
    verbose_name = _("Reports and cases")

    def ready(self) -> None:
        from allauth.account.signals import user_logged_in

        from accounts import signals
        from moderation import deeds, notices, security, staff
        from moderation.leaving import accounts as leaving
        from moderation.leaving import exporting as exports

        def closing(user: Any, by: Any, reason: str, **kwargs: Any) -> None:
            leaving.closing(user, by, reason)

        def reopening(user: Any, **kwargs: Any) -> None:
            leaving.reopening(user)

        def erasing(user: Any, **kwargs: Any) -> None:
            leaving.erasing(user)

        def exporting(user: Any, **kwargs: Any) -> dict[str, Any]:
            return exports.files(user)

        def migrated(**kwargs: Any) -> None:
            staff.make_group()
            staff.make_hosting_group()

        post_migrate.connect(migrated, sender=self, weak=False, dispatch_uid="moderation.group")

        signals.exporting.connect(exporting, weak=False, dispatch_uid="moderation.exporting")
        for signal, receiver in (
            (signals.closing, closing),
            (signals.reopening, reopening),
            (signals.erasing, erasing),
        ):
            signal.connect(receiver, weak=False, dispatch_uid="moderation.leaving")
        post_save.connect(security.audited, sender="moderation.AuditEvent", dispatch_uid="moderation.security_log")
        signals.deed.connect(deeds.record, dispatch_uid="moderation.deeds")
        user_logged_in.connect(notices.explain_suspension, dispatch_uid="moderation.suspended")

"""The list of a member's sessions. Those of before are listed without a device, until they are used again."""

from typing import Any, ClassVar

import django.db.models.deletion
from django.conf import settings
from django.contrib.sessions.backends.db import SessionStore
from django.db import migrations, models
from django.utils import timezone


def list_sessions(apps: Any, schema_editor: Any) -> None:
    """Without this a session that is not used again would outlive "Log out everywhere"."""
    rows, now, store = apps.get_model("accounts", "MemberSession").objects, timezone.now(), SessionStore()
    people = {str(pk) for pk in apps.get_model("accounts", "User").objects.values_list("pk", flat=True)}
    lasting = apps.get_model("sessions", "Session").objects.filter(expire_date__gt=now)
    for session in lasting.iterator():
        user = store.decode(session.session_data).get("_auth_user_id")
        if user in people:
            rows.create(session=session, user_id=user, began_at=now, seen_at=now)


class Migration(migrations.Migration):
    dependencies: ClassVar = [
        ("accounts", "0005_closing"),
        ("sessions", "0001_initial"),
    ]
    operations: ClassVar = [
        migrations.CreateModel(
            name="MemberSession",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("browser", models.CharField(blank=True, max_length=20)),
                ("system", models.CharField(blank=True, max_length=20)),
                ("began_at", models.DateTimeField(editable=False)),
                ("seen_at", models.DateTimeField(editable=False)),
                (
                    "session",
                    models.OneToOneField(
                        editable=False, on_delete=django.db.models.deletion.CASCADE, to="sessions.session"
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        editable=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="sessions",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={"default_permissions": []},
        ),
        migrations.RunPython(list_sessions, migrations.RunPython.noop),
    ]

"""API tokens that are hashed, scoped and expire. All keys of before are void: members make new tokens."""

from datetime import timedelta
from typing import Any, ClassVar

import django.contrib.postgres.fields
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.models import F, Q


def forget_old_keys(apps: Any, schema_editor: Any) -> None:
    """Delete what names the old keys: the log of the admin held them in clear."""
    apps.get_model("contenttypes", "ContentType").objects.filter(app_label="authtoken").delete()
    schema_editor.execute("DROP TABLE IF EXISTS authtoken_token")
    schema_editor.execute("DELETE FROM django_migrations WHERE app = 'authtoken'")


class Migration(migrations.Migration):
    dependencies: ClassVar = [
        ("accounts", "0003_erased_accounts"),
        ("admin", "0003_logentry_add_action_flag_choices"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]
    operations: ClassVar = [
        migrations.CreateModel(
            name="ApiToken",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=50, verbose_name="name")),
                (
                    "scopes",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(
                            choices=[
                                ("read", "Read: what you can see"),
                                ("write", "Write: act in your name"),
                                ("moderate", "Moderate: act as staff"),
                            ],
                            max_length=10,
                        ),
                        size=None,
                    ),
                ),
                ("digest", models.CharField(editable=False, max_length=64, unique=True)),
                ("created_at", models.DateTimeField(editable=False)),
                ("expires_at", models.DateTimeField(editable=False)),
                ("used_at", models.DateTimeField(editable=False, null=True)),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="api_tokens",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["-created_at", "-pk"],
                "constraints": [
                    models.CheckConstraint(condition=Q(scopes__len__gte=1), name="api_token_has_a_scope"),
                    models.CheckConstraint(
                        condition=Q(expires_at__lte=F("created_at") + timedelta(days=365)),
                        name="api_token_expires_within_a_year",
                    ),
                ],
            },
        ),
        migrations.RunPython(forget_old_keys, migrations.RunPython.noop),
    ]

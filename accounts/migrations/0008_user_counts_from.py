"""Who counts as a follower. Accounts of before do: they could not confirm an address, and hosts go on hosting."""

from django.db import migrations, models
from django.db.models import F


def count_all(apps, schema_editor):
    apps.get_model("accounts", "User").objects.filter(erased_at=None).update(counts_from=F("date_joined"))


class Migration(migrations.Migration):
    dependencies = [("accounts", "0007_exports")]

    operations = [
        migrations.AddField(
            "user",
            "counts_from",
            models.DateTimeField(editable=False, null=True, verbose_name="counts as a follower from"),
        ),
        migrations.RunPython(count_all, migrations.RunPython.noop, elidable=True),
    ]

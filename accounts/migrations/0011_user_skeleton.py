"""What handles look like, so that no new one imitates that of staff or of a host."""

from django.db import migrations

import accounts.names.lookalikes
from accounts.names.lookalikes import skeleton

BATCH = 1000


def fill(apps, schema_editor):
    users = apps.get_model("accounts", "User").objects
    batch = []
    for user in users.only("pk", "handle").iterator(BATCH):
        user.skeleton = skeleton(user.handle)
        batch.append(user)
        if len(batch) == BATCH:
            users.bulk_update(batch, ["skeleton"])
            batch = []
    users.bulk_update(batch, ["skeleton"])


class Migration(migrations.Migration):
    dependencies = [("accounts", "0010_encrypted_factors")]

    operations = [
        migrations.AddField(
            "user",
            "skeleton",
            accounts.names.lookalikes.SkeletonField(db_index=True, default="", editable=False, max_length=60),
        ),
        migrations.RunPython(fill, migrations.RunPython.noop, elidable=True),
    ]

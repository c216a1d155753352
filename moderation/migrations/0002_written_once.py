from django.db import migrations

from moderation import triggers

TABLES = ["moderation_auditevent", "moderation_decision", "moderation_report"]


class Migration(migrations.Migration):
    dependencies = [("moderation", "0001_initial")]

    operations = [
        migrations.RunSQL(triggers.FUNCTION, triggers.DROP_FUNCTION),
        *(migrations.RunSQL(triggers.protect(table), triggers.unprotect(table)) for table in TABLES),
    ]

from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('rooms', '0004_participant_listening'),
    ]

    operations = [
        migrations.RenameField('space', 'node_boot', 'boot'),
        migrations.RenameField('space', 'node_before', 'boot_before'),
        migrations.RenameField('space', 'node_from_ms', 'boot_from_ms'),
    ]

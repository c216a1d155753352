from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('rooms', '0002_space_ended'),
    ]

    operations = [
        migrations.AddField(
            model_name='space',
            name='node_before',
            field=models.CharField(blank=True, max_length=40),
        ),
        migrations.AddField(
            model_name='space',
            name='node_from_ms',
            field=models.PositiveBigIntegerField(default=0),
        ),
    ]

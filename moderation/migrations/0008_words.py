import django.db.models.deletion
from django.db import migrations, models

import moderation.models.words
from moderation import triggers

WRITTEN_ONCE = ("moderation_report", "moderation_decision")
WORDS = ("moderation_reportwords", "moderation_decisionwords")
# As Words.digest computes it: the salt and the texts, with the character 31 between them.
MOVE = """
INSERT INTO moderation_reportwords (report_id, salt, text, handle, name, title)
SELECT id, gen_random_uuid()::text, text, handle, name, title FROM moderation_report;
UPDATE moderation_report SET digest = encode(sha256(convert_to(
    concat_ws(chr(31), w.salt, w.text, w.handle, w.name, w.title), 'UTF8')), 'hex')
FROM moderation_reportwords w WHERE w.report_id = moderation_report.id;
INSERT INTO moderation_decisionwords (decision_id, salt, reason)
SELECT id, gen_random_uuid()::text, reason FROM moderation_decision;
UPDATE moderation_decision SET digest = encode(sha256(convert_to(concat_ws(chr(31), w.salt, w.reason), 'UTF8')), 'hex')
FROM moderation_decisionwords w WHERE w.decision_id = moderation_decision.id;
SET CONSTRAINTS ALL IMMEDIATE;
"""


def words(name: str, key: str, *fields: tuple[str, models.Field]) -> migrations.CreateModel:
    return migrations.CreateModel(
        name=name,
        fields=[
            ("salt", models.CharField(default=moderation.models.words.new_salt, max_length=36)),
            (
                key,
                models.OneToOneField(
                    editable=False,
                    on_delete=django.db.models.deletion.PROTECT,
                    primary_key=True,
                    related_name="words",
                    serialize=False,
                    to=f"moderation.{key}",
                ),
            ),
            *fields,
        ],
        options={"abstract": False, "default_permissions": []},
    )


class Migration(migrations.Migration):
    """Moves texts beside the rows that are written once. There is no way back: those rows would have to change."""

    dependencies = [("moderation", "0007_second_factor_reset")]

    operations = [
        words("DecisionWords", "decision", ("reason", models.TextField(max_length=2000, verbose_name="statement of reasons"))),
        words(
            "ReportWords",
            "report",
            ("text", models.TextField(blank=True, max_length=1000, verbose_name="text")),
            ("handle", models.CharField(max_length=30)),
            ("name", models.CharField(max_length=50)),
            ("title", models.CharField(max_length=80)),
        ),
        migrations.AddField("decision", "digest", models.CharField(default="", editable=False, max_length=64), False),
        migrations.AddField("report", "digest", models.CharField(default="", editable=False, max_length=64), False),
        *(migrations.RunSQL(triggers.unprotect(table)) for table in WRITTEN_ONCE),
        migrations.RunSQL(MOVE),
        *(migrations.RunSQL(triggers.protect(table)) for table in WRITTEN_ONCE),
        migrations.RemoveConstraint("decision", "decision_has_reason"),
        migrations.RemoveField("decision", "reason"),
        *(migrations.RemoveField("report", name) for name in ("handle", "name", "text", "title")),
        migrations.AddConstraint(
            "decisionwords",
            models.CheckConstraint(condition=models.Q(("reason", ""), _negated=True), name="decision_words_have_reason"),
        ),
        migrations.RunSQL(triggers.FORGETTABLE),
        *(migrations.RunSQL(triggers.protect_words(table)) for table in WORDS),
        migrations.AlterField(
            "auditevent",
            "verb",
            models.CharField(choices=[('report_filed', 'report filed'), ('case_opened', 'case opened'), ('case_read', 'case read'), ('case_claimed', 'case claimed'), ('case_released', 'claim released'), ('case_decided', 'case decided'), ('sound_fetched', 'sound fetched'), ('words_forgotten', 'texts erased'), ('account_closed', 'account closed'), ('account_reopened', 'account opened again'), ('account_erased', 'account erased'), ('reviewer_made', 'made a reviewer'), ('account_made', 'account made with rights'), ('suspended', 'account suspended'), ('suspension_lifted', 'suspension lifted'), ('account_locked', 'account disabled'), ('account_unlocked', 'account enabled'), ('hosting_granted', 'may host'), ('hosting_withdrawn', 'may no longer host'), ('staff_made', 'made staff'), ('staff_ended', 'no longer staff'), ('superuser_made', 'made a superuser'), ('superuser_ended', 'no longer a superuser'), ('group_joined', 'joined a group'), ('group_left', 'left a group'), ('second_factor_reset', 'second factor reset')], max_length=20, verbose_name='what'),
        ),
    ]

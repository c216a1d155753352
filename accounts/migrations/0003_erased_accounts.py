from django.db import migrations, models

FUNCTION = """
CREATE FUNCTION accounts_refuse_retired_handle() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM accounts_retiredhandle WHERE digest = encode(sha256(convert_to(NEW.handle, 'UTF8')), 'hex')
    ) THEN
        RAISE EXCEPTION 'the handle of an erased account is not given out again' USING ERRCODE = 'unique_violation';
    END IF;
    RETURN NEW;
END $$
"""
TRIGGER = """
CREATE TRIGGER accounts_retired_handle BEFORE INSERT OR UPDATE OF handle ON accounts_user
FOR EACH ROW EXECUTE FUNCTION accounts_refuse_retired_handle()
"""


class Migration(migrations.Migration):
    dependencies = [("accounts", "0002_grant_hosting")]

    operations = [
        migrations.CreateModel(
            name="RetiredHandle",
            fields=[
                ("digest", models.CharField(max_length=64, primary_key=True, serialize=False)),
                ("retired_at", models.DateTimeField(verbose_name="retired")),
            ],
            options={"default_permissions": []},
        ),
        migrations.AddField(
            model_name="user",
            name="erased_at",
            field=models.DateTimeField(editable=False, null=True, verbose_name="erased"),
        ),
        migrations.RunSQL(FUNCTION, "DROP FUNCTION accounts_refuse_retired_handle()"),
        migrations.RunSQL(TRIGGER, "DROP TRIGGER accounts_retired_handle ON accounts_user"),
    ]

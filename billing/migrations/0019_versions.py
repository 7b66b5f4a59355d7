from django.db import migrations, models

COUNTED = ("dispute", "dunningpolicy", "dunningrun", "refund")

# Whoever changes such a row, and by whichever of a dozen statements: it is counted here.
COUNT = """
CREATE FUNCTION bursar_count_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.version := OLD.version + 1;
  RETURN NEW;
END $$;
""" + "".join(
    f"CREATE TRIGGER {name}_counts_its_changes BEFORE UPDATE ON billing_{name}"
    "  FOR EACH ROW EXECUTE FUNCTION bursar_count_change();\n"
    for name in COUNTED
)
FORGET = "DROP FUNCTION bursar_count_change() CASCADE"


class Migration(migrations.Migration):

    dependencies = [("billing", "0018_entitlement_changes")]

    operations = [
        *(
            migrations.AddField(
                model_name=name,
                name="version",
                field=models.PositiveIntegerField(default=1, editable=False),
            )
            for name in COUNTED
        ),
        migrations.RunSQL(COUNT, FORGET),
    ]

"""Whose entitlements may have changed, what was told of them, and when counting is worth a look."""

from __future__ import annotations

import django.db.models.deletion
from django.db import migrations, models

# A closing total counts nothing new; what is counted for the first time, nobody has looked at yet.
WATCH = """
CREATE FUNCTION bursar_mark_entitlements() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO billing_entitlementmark (customer_id)
  SELECT customer_id FROM billing_billingperiod WHERE id = NEW.period_id;
  RETURN NULL;
END $$;
CREATE TRIGGER usage_total_begun AFTER INSERT ON billing_usagetotal
  FOR EACH ROW WHEN (NEW.quantity > 0) EXECUTE FUNCTION bursar_mark_entitlements();
CREATE TRIGGER usage_total_watched AFTER UPDATE OF quantity ON billing_usagetotal
  FOR EACH ROW WHEN (
    NEW.quantity < OLD.quantity
    OR (NEW.quantity > OLD.quantity
        AND (OLD.watch_at IS NULL OR NEW.quantity >= OLD.watch_at)))
  EXECUTE FUNCTION bursar_mark_entitlements();
"""
UNWATCH = """
DROP TRIGGER usage_total_watched ON billing_usagetotal;
DROP TRIGGER usage_total_begun ON billing_usagetotal;
DROP FUNCTION bursar_mark_entitlements();
"""


class Migration(migrations.Migration):
    """Two tables, a column, and the triggers that leave marks."""

    dependencies = [
        ("billing", "0017_usage_rejections"),
        ("customers", "0004_what_must_hold_of_tax_numbers"),
    ]

    operations = [
        migrations.AddField(
            model_name="usagetotal",
            name="watch_at",
            field=models.DecimalField(blank=True, decimal_places=12, max_digits=38, null=True),
        ),
        migrations.CreateModel(
            name="EntitlementMark",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("customer", models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="customers.customer")),
            ],
        ),
        migrations.CreateModel(
            name="EntitlementState",
            fields=[
                ("customer", models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name="+", serialize=False, to="customers.customer")),
                ("told", models.JSONField(default=dict)),
                ("thresholds", models.JSONField(default=dict)),
                ("check_at", models.DateTimeField(blank=True, null=True)),
                ("period", models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="billing.billingperiod")),
            ],
            options={
                "indexes": [models.Index(condition=models.Q(("check_at__isnull", False)), fields=["check_at"], name="entitlements_due")],
            },
        ),
        migrations.RunSQL(WATCH, UNWATCH),
    ]

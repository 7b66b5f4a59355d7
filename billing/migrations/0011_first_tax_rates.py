"""The rates that Bursar comes with; later ones are loaded by `load_tax_rates`."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

from django.db import migrations

RATES = Path(__file__).resolve().parent.parent / "tax_rates.csv"


def load(apps: Any, _schema_editor: Any) -> None:
    """Store what the file says, where there is no rate yet."""
    rates = apps.get_model("billing", "TaxRate")
    if rates.objects.exists():
        return
    with RATES.open(newline="", encoding="utf-8") as file:
        rates.objects.bulk_create(
            rates(**{name: value or None if name == "ends_on" else value for name, value in row.items()})
            for row in csv.DictReader(file)
        )


class Migration(migrations.Migration):
    """A file beside the migration, read with the csv module alone."""

    dependencies = [("billing", "0010_guards_of_books")]

    operations = [migrations.RunPython(load, migrations.RunPython.noop)]

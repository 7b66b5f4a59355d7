"""Countries by their code, which tax goes by, and tax numbers of before that are to be checked."""

from babel import Locale
from django.db import migrations
from django.utils import timezone


def fill(apps, schema_editor):
    """What is no country's English name stays as it was typed."""
    names = Locale("en").territories
    codes = {name.casefold(): code for code, name in names.items() if len(code) == 2}
    details = apps.get_model("customers", "BillingDetails")
    for country in details.objects.exclude(country="").values_list("country", flat=True).distinct():
        typed = country.strip()
        code = codes.get(typed.casefold(), typed.upper() if len(typed) == 2 else country)
        if code != country:
            details.objects.filter(country=country).update(country=code)
    tax_ids = apps.get_model("customers", "TaxId")
    for row in tax_ids.objects.filter(kind="eu_vat", country=""):
        row.country = "GR" if row.value.startswith("EL") else row.value[:2]
        row.next_check_at = timezone.now()
        row.save()


class Migration(migrations.Migration):

    dependencies = [
        ("customers", "0002_tax_numbers_and_exemption"),
    ]

    operations = [
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]

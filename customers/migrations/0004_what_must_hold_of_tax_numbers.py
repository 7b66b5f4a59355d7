"""What holds of every tax number, now that those of before are filled."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('customers', '0003_countries_by_code'),
    ]

    operations = [
        migrations.AddConstraint(
            model_name='taxid',
            constraint=models.CheckConstraint(condition=models.Q(('status__in', ['UNCHECKED', 'VALID', 'INVALID'])), name='tax_id_status_known'),
        ),
        migrations.AddConstraint(
            model_name='taxid',
            constraint=models.CheckConstraint(condition=models.Q(('confirmed_by', ''), models.Q(('next_check_at', None), ('status', 'VALID')), _connector='OR'), name='a_confirmed_tax_id_is_valid'),
        ),
    ]

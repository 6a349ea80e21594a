from django.db import migrations


class Migration(migrations.Migration):
    """The table stays as it is: core.0001 takes it over."""

    dependencies = [
        ("access", "0003_key_rotated_from"),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(state_operations=[migrations.DeleteModel("IdempotentAnswer")]),
    ]

"""Rename the model of stored responses; its table keeps its name."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("core", "0001_idempotent_answers")]

    operations = [
        migrations.SeparateDatabaseAndState(state_operations=[migrations.RenameModel("IdempotentAnswer", "IdempotentResponse")])
    ]

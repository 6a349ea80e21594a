"""Rename the model of the outbox's position; its table keeps its name."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("subscriptions", "0005_by_principal")]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.RenameModel("Plan", "OutboxCursor"),
                migrations.AlterModelTable("OutboxCursor", "subscriptions_plan"),
            ]
        )
    ]

import django.db.models.deletion
from django.db import migrations, models

import core.ids


class Migration(migrations.Migration):
    dependencies = [
        ("intents", "0009_search"),
        ("leasing", "0008_file_scopes"),
    ]

    operations = [
        migrations.AddField(
            model_name="lease",
            name="is_awaited",
            field=models.BooleanField(
                db_default=False, default=False, help_text="Agents wait for its scope: its end is handed over (rule L-9)."
            ),
        ),
        migrations.CreateModel(
            name="LeaseWaiter",
            fields=[
                ("id", models.UUIDField(default=core.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ("agent_id", models.CharField(max_length=255)),
                ("principal", models.CharField(max_length=300)),
                ("key_id", models.UUIDField(null=True)),
                ("scope", models.CharField(max_length=517)),
                ("duration_seconds", models.PositiveIntegerField()),
                ("waits_until", models.DateTimeField()),
                (
                    "intent",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="intents.intent"
                    ),
                ),
                (
                    "lease",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="leasing.lease",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["waits_until"], name="lease_waiter_by_end")],
                "constraints": [
                    models.UniqueConstraint(fields=("intent", "scope", "agent_id", "principal"), name="one_place_in_the_queue")
                ],
            },
        ),
    ]

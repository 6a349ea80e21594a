from django.db import migrations, models


class Migration(migrations.Migration):
    """Takes the table over from access, whose first migration made it."""

    initial = True
    dependencies = [
        ("access", "0004_answers_belong_to_core"),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.CreateModel(
                    name="IdempotentAnswer",
                    fields=[
                        ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                        ("key", models.CharField(max_length=255)),
                        ("caller", models.CharField(max_length=300)),
                        ("fingerprint", models.CharField(max_length=64)),
                        ("status", models.PositiveSmallIntegerField()),
                        ("headers", models.TextField()),
                        ("body", models.TextField()),
                        ("created_at", models.DateTimeField(db_index=True)),
                    ],
                    options={
                        "db_table": "access_idempotentanswer",
                        "constraints": [models.UniqueConstraint(fields=("key", "caller"), name="one_answer_per_idempotency_key")],
                    },
                ),
            ]
        ),
    ]

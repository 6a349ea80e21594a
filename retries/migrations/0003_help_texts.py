from django.db import migrations, models

import core.db.fields


class Migration(migrations.Migration):
    """Other help texts: nothing is altered in the database."""

    dependencies = [
        ("retries", "0002_failures_beside_runs"),
    ]

    operations = [
        migrations.AlterField(
            model_name="failure",
            name="is_exhausted",
            field=models.BooleanField(default=False, help_text="No retry may follow."),
        ),
        migrations.AlterField(
            model_name="failure",
            name="is_replaced",
            field=models.BooleanField(default=False, help_text="Another agent has taken over, with this failure or before."),
        ),
        migrations.AlterField(
            model_name="failure",
            name="retry_settled_at",
            field=models.DateTimeField(help_text="When the retry was announced, or found to be unnecessary.", null=True),
        ),
        migrations.AlterField(
            model_name="failure",
            name="run_length",
            field=models.PositiveIntegerField(
                help_text="Failures of the agent's runs up to this one, since the last resolution or reassignment. 0: outside of every run, since the agent did not work on the intent."
            ),
        ),
        migrations.AlterField(
            model_name="retrypolicy",
            name="retryable_errors",
            field=core.db.fields.JSONTextField(help_text="Empty: every error is retryable."),
        ),
    ]

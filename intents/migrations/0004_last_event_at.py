from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("intents", "0003_audience"),
    ]

    operations = [
        migrations.AddField(
            model_name="intent",
            name="last_event_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="intent",
            name="on_hold",
            field=models.BooleanField(
                default=False,
                help_text="Blocked until somebody unblocks it: by hand, or by a question that nobody answered.",
            ),
        ),
    ]

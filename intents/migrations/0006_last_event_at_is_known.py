from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("intents", "0005_fill_last_event_at"),
    ]

    operations = [
        migrations.AlterField(
            model_name="intent",
            name="last_event_at",
            field=models.DateTimeField(),
        ),
        migrations.AddConstraint(
            model_name="intent",
            constraint=models.CheckConstraint(
                condition=models.Q(("on_hold", False), ("status", "blocked"), _connector="OR"), name="only_blocked_is_on_hold"
            ),
        ),
    ]

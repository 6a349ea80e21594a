from django.db import migrations, models


class Migration(migrations.Migration):
    """Other help texts: nothing is altered in the database."""

    dependencies = [
        ("intents", "0007_topic_memberships"),
    ]

    operations = [
        migrations.AlterField(
            model_name="intent",
            name="active_leases",
            field=models.PositiveIntegerField(default=0, help_text="Marked active, also those that are overdue."),
        ),
        migrations.AlterField(
            model_name="intent",
            name="on_hold",
            field=models.BooleanField(
                default=False, help_text="Blocked until a caller unblocks it: set by hand, or by an arbitration that expired."
            ),
        ),
    ]

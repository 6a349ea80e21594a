from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("subscriptions", "0003_fill_principals"),
    ]

    operations = [
        migrations.AddField(
            model_name="subscription",
            name="pace",
            field=models.CharField(
                choices=[("new", "New"), ("steady", "Steady"), ("slow", "Slow")], default="new", max_length=10
            ),
        ),
        migrations.AddConstraint(
            model_name="subscription",
            constraint=models.CheckConstraint(
                condition=models.Q(("pace__in", ["new", "steady", "slow"])), name="subscription_pace_is_known"
            ),
        ),
    ]

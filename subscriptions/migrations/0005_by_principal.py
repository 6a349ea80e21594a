from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("subscriptions", "0004_pace"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="subscription",
            index=models.Index(condition=models.Q(("removed_at", None)), fields=["principal"], name="subscription_by_principal"),
        ),
    ]

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("subscriptions", "0001_webhooks"),
    ]

    operations = [
        migrations.AddField(
            model_name="subscription",
            name="principal",
            field=models.CharField(default="", max_length=300),
            preserve_default=False,
        ),
    ]

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("leasing", "0003_fill_lease_principal"),
    ]

    operations = [
        migrations.AddField(
            model_name="lease",
            name="first_level",
            field=models.CharField(default="", help_text="Of the scope: only scopes that share it can overlap.", max_length=200),
            preserve_default=False,
        ),
    ]

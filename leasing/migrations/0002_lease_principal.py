from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("leasing", "0001_leases"),
    ]

    operations = [
        migrations.AddField(
            model_name="lease",
            name="principal",
            field=models.CharField(
                default="", help_text="Who took it: the person, else the key (protocol §1.1).", max_length=300
            ),
            preserve_default=False,
        ),
    ]

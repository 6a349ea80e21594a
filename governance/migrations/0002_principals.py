from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("governance", "0001_governance"),
    ]

    operations = [
        migrations.AddField(
            model_name="arbitration",
            name="principal",
            field=models.CharField(default="", help_text="Who asked: the person, else the key (protocol §1.1).", max_length=300),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="delegation",
            name="principal",
            field=models.CharField(
                default="", help_text="Who delegated: the person, else the key (protocol §1.1).", max_length=300
            ),
            preserve_default=False,
        ),
    ]

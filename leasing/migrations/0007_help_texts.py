from django.db import migrations, models


class Migration(migrations.Migration):
    """Other help texts: nothing is altered in the database."""

    dependencies = [
        ("leasing", "0006_lease_by_first_level"),
    ]

    operations = [
        migrations.AlterField(
            model_name="lease",
            name="first_level",
            field=models.CharField(help_text="First level of the scope: only scopes that share it can overlap.", max_length=200),
        ),
        migrations.AlterField(
            model_name="lease",
            name="principal",
            field=models.CharField(help_text="Principal of the holder: the person or the key (protocol §1.1).", max_length=300),
        ),
    ]

from django.db import migrations, models


class Migration(migrations.Migration):
    """Other help texts: nothing is altered in the database."""

    dependencies = [
        ("governance", "0003_fill_principals"),
    ]

    operations = [
        migrations.AlterField(
            model_name="arbitration",
            name="principal",
            field=models.CharField(
                help_text="Principal of the requester: the person or the key (protocol §1.1).", max_length=300
            ),
        ),
        migrations.AlterField(
            model_name="delegation",
            name="principal",
            field=models.CharField(
                help_text="Principal of the delegator: the person or the key (protocol §1.1).", max_length=300
            ),
        ),
    ]

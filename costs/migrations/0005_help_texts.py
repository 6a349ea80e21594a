from django.db import migrations, models


class Migration(migrations.Migration):
    """Other help texts: nothing is altered in the database."""

    dependencies = [
        ("costs", "0004_totals_and_alerts"),
    ]

    operations = [
        migrations.AlterField(
            model_name="budgetalert",
            name="agent_id",
            field=models.CharField(blank=True, help_text="Empty: all agents.", max_length=255),
        ),
        migrations.AlterField(
            model_name="costtotal",
            name="model",
            field=models.CharField(blank=True, help_text="Empty: none.", max_length=255),
        ),
        migrations.AlterField(
            model_name="costtotal",
            name="provider",
            field=models.CharField(blank=True, help_text="Empty: none.", max_length=255),
        ),
    ]

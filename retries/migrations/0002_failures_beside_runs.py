from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("retries", "0001_retries")]

    operations = [
        migrations.AlterField(
            model_name="failure",
            name="run_length",
            field=models.PositiveIntegerField(
                help_text="How many failures its runs had with this one, since one was resolved or its agent was assigned again. "
                "0: it counts for none, since its agent did not work on the intent."
            ),
        ),
    ]

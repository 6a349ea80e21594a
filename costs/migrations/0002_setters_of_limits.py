import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("costs", "0001_costs"), ("intents", "0003_audience")]

    operations = [
        migrations.CreateModel(
            name="LimitSetter",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("limit_kind", models.CharField(max_length=30)),
                ("principal", models.CharField(max_length=300)),
                (
                    "intent",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="limit_setters",
                        to="intents.intent",
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("intent", "limit_kind"), name="one_setter_per_limit")],
            },
        ),
    ]

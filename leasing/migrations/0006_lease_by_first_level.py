from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("leasing", "0005_fill_lease_first_level"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="lease",
            index=models.Index(
                condition=models.Q(("status", "active")), fields=["intent", "first_level"], name="lease_by_first_level"
            ),
        ),
    ]

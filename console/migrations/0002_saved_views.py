import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import core.ids


class Migration(migrations.Migration):
    dependencies = [
        ("console", "0001_signing_in"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="SavedView",
            fields=[
                ("id", models.UUIDField(default=core.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ("page", models.CharField(max_length=100)),
                ("name", models.CharField(max_length=100)),
                ("query", models.CharField(blank=True, max_length=4000)),
                ("is_default", models.BooleanField(default=False)),
                ("created_at", models.DateTimeField()),
                (
                    "person",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("person", "page", "name"), name="one_saved_view_of_a_name"),
                    models.UniqueConstraint(
                        condition=models.Q(("is_default", True)), fields=("person", "page"), name="one_default_view"
                    ),
                ],
            },
        ),
    ]

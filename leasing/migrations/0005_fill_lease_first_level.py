from django.db import migrations

AT_ONCE = 1_000


def fill(apps, schema_editor):
    """Fill the first level of each scope."""
    lease = apps.get_model("leasing", "Lease")
    rows = lease.objects.filter(first_level="").order_by("pk")
    while part := list(rows[:AT_ONCE]):
        for row in part:
            row.first_level = row.scope.partition(".")[0]
        lease.objects.bulk_update(part, ["first_level"])


class Migration(migrations.Migration):
    dependencies = [
        ("leasing", "0004_lease_first_level"),
    ]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]

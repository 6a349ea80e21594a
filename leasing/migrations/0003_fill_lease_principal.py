from django.db import migrations

AT_ONCE = 1_000


def fill(apps, schema_editor):
    """Fill each lease's principal from the event of its acquisition, else from its agent id."""
    lease, event = apps.get_model("leasing", "Lease"), apps.get_model("intents", "Event")
    rows = lease.objects.filter(principal="").order_by("pk")
    while part := list(rows[:AT_ONCE]):
        for row in part:
            row.principal = row.agent_id
        lease.objects.bulk_update(part, ["principal"])
    told = event.objects.filter(event_type="lease_acquired", key_id__isnull=False)
    principals = {}
    for payload, key_id in told.values_list("payload", "key_id").iterator(chunk_size=AT_ONCE):
        principals[payload["lease_id"]] = f"key:{key_id}"
        if len(principals) == AT_ONCE:
            write(lease, principals)
    write(lease, principals)


def write(lease, principals):
    known = list(lease.objects.filter(pk__in=list(principals)))
    for row in known:
        row.principal = principals[str(row.pk)]
    lease.objects.bulk_update(known, ["principal"])
    principals.clear()


class Migration(migrations.Migration):
    dependencies = [
        ("leasing", "0002_lease_principal"),
        ("intents", "0003_audience"),
    ]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]

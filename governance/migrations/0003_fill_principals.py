from django.db import migrations

AT_ONCE = 1_000


def fill(apps, schema_editor):
    """Fill each row's principal from its creation event, else from its own columns."""
    event = apps.get_model("intents", "Event")
    arbitration = apps.get_model("governance", "Arbitration")
    delegation = apps.get_model("governance", "Delegation")
    fill_from(event, "arbitration_requested", "arbitration_id", arbitration, "requester_id")
    fill_from(event, "delegation_granted", "delegation_id", delegation, "delegator")


def fill_from(event, event_type, id_name, model, name):
    rows = model.objects.filter(principal="").order_by("pk")
    while part := list(rows[:AT_ONCE]):
        for row in part:
            row.principal = getattr(row, name)
        model.objects.bulk_update(part, ["principal"])
    told = event.objects.filter(event_type=event_type, key_id__isnull=False)
    principals = {}
    for payload, key_id in told.values_list("payload", "key_id").iterator(chunk_size=AT_ONCE):
        principals[payload[id_name]] = f"key:{key_id}"
        if len(principals) == AT_ONCE:
            write(model, principals)
    write(model, principals)


def write(model, principals):
    known = list(model.objects.filter(pk__in=list(principals)))
    for row in known:
        row.principal = principals[str(row.pk)]
    model.objects.bulk_update(known, ["principal"])
    principals.clear()


class Migration(migrations.Migration):
    dependencies = [
        ("governance", "0002_principals"),
        ("intents", "0003_audience"),
    ]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]

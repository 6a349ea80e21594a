from django.db import migrations

AT_ONCE = 1_000


def fill(apps, schema_editor):
    """Fill each member's principal from the event that added it, and its role from the key, if that has a row.

    Whose role nobody knows any more counts as an agent's: under a delegation over the portfolio the member is not covered.
    """
    member, event = apps.get_model("portfolios", "Member"), apps.get_model("intents", "Event")
    roles = {str(pk): role for pk, role in apps.get_model("access", "ApiKey").objects.values_list("pk", "role")}
    rows = member.objects.filter(principal="").order_by("pk")
    while part := list(rows[:AT_ONCE]):
        for row in part:
            row.principal, row.by_role = row.added_by, "agent"
        member.objects.bulk_update(part, ["principal", "by_role"])
    told = event.objects.filter(event_type="added_to_portfolio", key_id__isnull=False).order_by("row")
    for intent_id, portfolio_id, key_id in told.values_list("intent_id", "portfolio_id", "key_id").iterator(chunk_size=AT_ONCE):
        found = member.objects.filter(intent_id=intent_id, portfolio_id=portfolio_id)
        found.update(principal=f"key:{key_id}", by_role=roles.get(str(key_id), "agent"))


class Migration(migrations.Migration):
    dependencies = [
        ("portfolios", "0002_member_principal"),
        ("access", "0002_people"),
        ("intents", "0003_audience"),
    ]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]

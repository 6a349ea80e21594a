from django.db import migrations

TIMES = """
    UPDATE intents_intent SET last_event_at = COALESCE(
        (SELECT MAX(e.created_at) FROM intents_event e WHERE e.intent_id = intents_intent.id), updated_at
    )
"""
BY_THE_SERVER = ("dependency_added", "arbitration_requested")


def fill(apps, schema_editor):
    """Fill the times from the log, and whether a blocked intent was blocked by hand."""
    schema_editor.execute(TIMES)
    intent, event = apps.get_model("intents", "Intent"), apps.get_model("intents", "Event")
    for pk in list(intent.objects.filter(status="blocked").values_list("pk", flat=True)):
        moves = event.objects.filter(intent_id=pk, event_type="status_changed").order_by("-sequence")
        last = moves.values_list("payload", flat=True).first()
        if last and last["reason"] not in BY_THE_SERVER:
            intent.objects.filter(pk=pk).update(on_hold=True)


class Migration(migrations.Migration):
    dependencies = [
        ("intents", "0004_last_event_at"),
    ]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]

from django.db import migrations


def fill(apps, schema_editor):
    """Make each subscription its creator's: the key or person that its creating event names, else the name that was kept."""
    events, subscriptions = (apps.get_model(*each).objects for each in (("intents", "Event"), ("subscriptions", "Subscription")))
    created = events.filter(event_type="subscription_created").values_list("payload", "key_id", "actor")
    for payload, key_id, actor in created.iterator():
        principal = f"key:{key_id}" if key_id else actor
        subscriptions.filter(pk=payload["subscription_id"], principal="").update(principal=principal)
    for subscription in subscriptions.filter(principal="").only("created_by").iterator():
        subscriptions.filter(pk=subscription.pk).update(principal=subscription.created_by)


class Migration(migrations.Migration):
    dependencies = [
        ("intents", "0003_audience"),
        ("subscriptions", "0002_principal"),
    ]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]

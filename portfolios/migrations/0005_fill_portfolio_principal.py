"""Fill the principal of each portfolio: the key of its first event, else its actor."""

from django.db import migrations


def fill(apps, schema_editor):
    portfolios = apps.get_model("portfolios", "Portfolio").objects
    created = apps.get_model("intents", "Event").objects.filter(event_type="portfolio_created", portfolio_id__isnull=False)
    for portfolio_id, key_id, actor in created.values_list("portfolio_id", "key_id", "actor").iterator():
        portfolios.filter(pk=portfolio_id, principal="").update(principal=f"key:{key_id}" if key_id else actor)
    for pk, created_by in portfolios.filter(principal="").values_list("pk", "created_by"):
        portfolios.filter(pk=pk).update(principal=created_by)


class Migration(migrations.Migration):
    dependencies = [("portfolios", "0004_portfolio_version_and_principal"), ("intents", "0003_audience")]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]

from django.db import migrations

from intents.search import INTENTS


class Migration(migrations.Migration):
    """The full-text index of intents, which is no table of Django's."""

    dependencies = [("intents", "0008_help_texts")]

    operations = [migrations.RunPython(lambda *_: INTENTS.create(), lambda *_: INTENTS.drop())]

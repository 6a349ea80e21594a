from django.db import migrations

from governance.search import QUESTIONS


class Migration(migrations.Migration):
    """The full-text index of arbitrations, which is no table of Django's."""

    dependencies = [("governance", "0009_assignments_and_information")]

    operations = [migrations.RunPython(lambda *_: QUESTIONS.create(), lambda *_: QUESTIONS.drop())]

from django.db import migrations


class Migration(migrations.Migration):
    """The model has another name; its table keeps the old one, so nothing is altered in the database."""

    dependencies = [("intents", "0006_last_event_at_is_known")]

    operations = [
        migrations.AlterModelTable("audience", "intents_audience"),
        migrations.RenameModel("Audience", "TopicMembership"),
    ]

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("portfolios", "0001_portfolios"),
    ]

    operations = [
        migrations.AddField(
            model_name="member",
            name="by_role",
            field=models.CharField(default="", help_text="The role that the principal had then.", max_length=10),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="member",
            name="principal",
            field=models.CharField(
                default="", help_text="Who added it: the person, else the key (protocol §1.1).", max_length=300
            ),
            preserve_default=False,
        ),
    ]

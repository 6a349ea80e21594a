from django.db import migrations, models


class Migration(migrations.Migration):
    """Other help texts: nothing is altered in the database."""

    dependencies = [
        ("portfolios", "0006_memberships"),
    ]

    operations = [
        migrations.AlterField(
            model_name="membership",
            name="by_role",
            field=models.CharField(help_text="Role of the principal at that time.", max_length=10),
        ),
        migrations.AlterField(
            model_name="membership",
            name="principal",
            field=models.CharField(help_text="Principal that added it: the person or the key (protocol §1.1).", max_length=300),
        ),
        migrations.AlterField(
            model_name="portfolio",
            name="principal",
            field=models.CharField(
                default="", help_text="Principal of the creator, who may change its policy (rule P-5).", max_length=300
            ),
        ),
    ]

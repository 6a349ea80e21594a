from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("portfolios", "0003_fill_member_principal")]

    operations = [
        migrations.AddField("portfolio", "version", models.PositiveBigIntegerField(default=1)),
        migrations.AddField(
            "portfolio",
            "principal",
            models.CharField(default="", help_text="Who made it: its rules are theirs (rule P-5).", max_length=300),
        ),
        migrations.AddConstraint(
            "portfolio", models.CheckConstraint(condition=models.Q(version__gte=1), name="portfolio_version_from_1")
        ),
    ]

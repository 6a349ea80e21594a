from django.db import migrations


class Migration(migrations.Migration):
    """The model has another name; its table keeps the old one, so nothing is altered in the database."""

    dependencies = [("portfolios", "0005_fill_portfolio_principal")]

    operations = [
        migrations.AlterModelTable("member", "portfolios_member"),
        migrations.RenameModel("Member", "Membership"),
    ]

from django.db import migrations


class Migration(migrations.Migration):
    """Two models have other names; their tables keep the old ones, so nothing is altered in the database."""

    dependencies = [("costs", "0003_fill_setters_of_limits")]

    operations = [
        migrations.AlterModelTable("spending", "costs_spending"),
        migrations.RenameModel("Spending", "CostTotal"),
        migrations.AlterModelOptions("costtotal", options={}),
        migrations.AlterModelTable("crossing", "costs_crossing"),
        migrations.RenameModel("Crossing", "BudgetAlert"),
    ]

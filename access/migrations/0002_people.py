"""Roles for people: three groups, and the permissions that make them (access.roles)."""

from django.db import migrations, models

PERMISSIONS = {
    "look": "Can look at everything in the console",
    "arbitrate": "Can decide arbitrations and revoke leases",
    "operate": "Can do everything in the console",
}
GROUPS = {"viewer": ["look"], "arbiter": ["look", "arbitrate"], "operator": ["look", "arbitrate", "operate"]}


def make_groups(apps, schema_editor):
    content_type, _ = apps.get_model("contenttypes", "ContentType").objects.get_or_create(app_label="access", model="console")
    permissions = apps.get_model("auth", "Permission").objects
    known = {
        codename: permissions.get_or_create(content_type=content_type, codename=codename, defaults={"name": name})[0]
        for codename, name in PERMISSIONS.items()
    }
    for name, codenames in GROUPS.items():
        group, _ = apps.get_model("auth", "Group").objects.get_or_create(name=name)
        group.permissions.add(*(known[codename] for codename in codenames))


def remove_groups(apps, schema_editor):
    apps.get_model("auth", "Group").objects.filter(name__in=GROUPS).delete()
    apps.get_model("auth", "Permission").objects.filter(content_type__app_label="access", content_type__model="console").delete()


class Migration(migrations.Migration):
    dependencies = [
        ("access", "0001_initial"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
        ("sessions", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Console",
            fields=[("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"))],
            options={"permissions": [*PERMISSIONS.items()], "managed": False, "default_permissions": ()},
        ),
        migrations.RunPython(make_groups, remove_groups),
    ]

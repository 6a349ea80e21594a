"""Command `createsuperuser`: Django's, with a line in the audit log."""

from typing import Any

from django.contrib.auth.management.commands import createsuperuser
from django.contrib.auth.models import User

from access.audit_log import record_command


class Command(createsuperuser.Command):
    def handle(self, *args: Any, **options: Any) -> None:
        newest = User.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
        super().handle(*args, **options)  # It prompts, for the name as well: no transaction may be open meanwhile.
        for name in User.objects.filter(pk__gt=newest, is_superuser=True).values_list("username", flat=True):
            record_command("person_added", subject=f"user:{name}", role="superuser")

"""Command `changepassword`: Django's, with a line in the audit log."""

import getpass
from typing import Any

from django.contrib.auth.management.commands import changepassword

from access.audit_log import record_command


class Command(changepassword.Command):
    help = "Set the password of an account. It is prompted for."

    def handle(self, *args: Any, **options: Any) -> str:
        said = str(super().handle(*args, **options))  # It prompts: no transaction may be open meanwhile.
        record_command("password_set", subject=f"user:{options['username'] or getpass.getuser()}")
        return said

"""Django's commands: `manage.py` in a checkout, `openintent-manage` where the package is installed."""

import os
import sys

from config.env import env, is_loopback


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    if sys.argv[1:2] == ["runserver"] and _runs_for_developers(sys.argv[2:]):
        os.environ.setdefault("OPENINTENT_DEV_MODE", "true")
    from django.core.management import execute_from_command_line  # noqa: PLC0415  Reads the settings.

    execute_from_command_line(sys.argv)


def _runs_for_developers(arguments: list[str]) -> bool:
    """Whether runserver binds a loopback address (its default) and no keys are configured (protocol §1.1)."""
    address = next((each for each in arguments if not each.startswith("-")), "127.0.0.1:8000")
    host = address.rpartition(":")[0].strip("[]") or "127.0.0.1"
    return is_loopback(host) and not env.str("OPENINTENT_API_KEYS", default="")


if __name__ == "__main__":
    main()

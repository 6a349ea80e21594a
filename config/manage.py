"""Management commands: `manage.py` in a checkout, `openintent-manage` in an installation."""

import os
import sys
from importlib.util import find_spec

from core.env import env, flag, is_loopback


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    if sys.argv[1:2] == ["runserver"]:
        if find_spec("daphne") is None:
            sys.exit("runserver needs daphne, which is not installed. openintent-server serves without it.")
        address = next((each for each in sys.argv[2:] if not each.startswith("-")), "127.0.0.1:8000")
        host = address.rpartition(":")[0].strip("[]") or "127.0.0.1"
        if not is_loopback(host):
            for variable, effect in ("OPENINTENT_DEBUG", "shows code and values to"), ("OPENINTENT_DEV_MODE", "grants access to"):
                if flag(variable, False):
                    sys.exit(f"{variable} {effect} every client of {host}. Unset it.")
        elif not env.str("OPENINTENT_API_KEYS", default=""):  # Dev mode is the default there (protocol §1.1).
            os.environ.setdefault("OPENINTENT_DEV_MODE", "true")
    from django.core.management import execute_from_command_line  # noqa: PLC0415  Reads the settings.

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()

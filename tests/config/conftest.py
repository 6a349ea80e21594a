"""Fixtures of the tests of the server command."""

import pytest

from tests.databases import migrated_database


@pytest.fixture
def database_url(vendor, tmp_path):
    return migrated_database(vendor, tmp_path)

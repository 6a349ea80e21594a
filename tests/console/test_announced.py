"""Start-up messages of the server about its console."""

import pytest
import requests

from tests.databases import migrated_database
from tests.servers import Server

pytestmark = pytest.mark.full


def test_a_server_in_dev_mode_prints_a_way_in_once(vendor, tmp_path):
    with Server(migrated_database(vendor, tmp_path)) as server:
        (line,) = [each for each in server.log if each.startswith("  Sign in")]
        link = line.split()[2]

        with requests.Session() as browser:
            assert browser.get(link, timeout=10).url.endswith("/admin/")
        with requests.Session() as browser:
            second = browser.get(link, timeout=10)
            assert second.url.endswith("/admin/login/")
            assert "was already used or has expired" in second.text


def test_server_outside_dev_mode_prints_how_to_create_an_account(vendor, tmp_path):
    database = migrated_database(vendor, tmp_path)
    with Server(database, OPENINTENT_DEV_MODE="false", OPENINTENT_API_KEYS="kR7-once-and-for-all-tests") as server:
        printed = "\n".join(server.log)

    assert "openintent-manage createoperator NAME" in printed
    assert "token=" not in printed

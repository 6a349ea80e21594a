"""What a server says about its console when it starts."""

import requests

from tests.databases import migrated_database
from tests.servers import Server


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


def test_outside_dev_mode_it_says_how_to_make_an_account_and_prints_no_way_in(vendor, tmp_path):
    database = migrated_database(vendor, tmp_path)
    with Server(database, OPENINTENT_DEV_MODE="false", OPENINTENT_API_KEYS="kR7-once-and-for-all-tests") as server:
        printed = "\n".join(server.log)

    assert "openintent-manage createoperator NAME" in printed
    assert "token=" not in printed

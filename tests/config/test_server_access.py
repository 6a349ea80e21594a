"""Access to a server: keys, dev mode, and what other users of the network or machine can see."""

import os
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest
import requests

from access import key_lookup
from core.env import WELL_KNOWN_KEYS
from tests.config.server_commands import FIRST, KEY, SECOND, manage, refuses, start, until
from tests.databases import fresh_database, migrated_database
from tests.servers import Server, Started

pytestmark = pytest.mark.full

# --- keys ------------------------------------------------------------------------------------------------------------


def test_configured_keys_work_and_the_well_known_ones_do_not(database_url):
    with Server(database_url, OPENINTENT_API_KEYS=f"{FIRST},{SECOND}", OPENINTENT_DEV_MODE="") as server:
        statuses = {
            key: requests.get(f"{server.api}/keys", headers={"X-API-Key": key}, timeout=10).status_code
            for key in (FIRST, SECOND, "dev-user-key", f"{FIRST},{SECOND}")
        }

    assert statuses == {FIRST: 200, SECOND: 200, "dev-user-key": 401, f"{FIRST},{SECOND}": 401}


GUESSED = [
    ("a", "fewer than 16 characters"),
    ("fifteen-charact", "fewer than 16 characters"),
    ("dev-user-key", "well known"),
    ("agent-research-key", "well known"),
    ("Agent-Synth-Key", "well known"),
    ("your-api-key-here", "well known"),
    ("abababababababababab", "different characters"),
]


@pytest.mark.case("security L9")
@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])
@pytest.mark.parametrize(("key", "says"), GUESSED)
def test_a_key_that_can_be_guessed_is_refused_at_the_start(tmp_path, host, key, says):
    database_url = f"sqlite:///{tmp_path}/a.db"
    for done in (
        start("--host", host, "--port", "0", "--database-url", database_url, "--api-keys", f"{FIRST},{key}"),
        start("--host", host, "--port", "0", "--database-url", database_url, OPENINTENT_API_KEYS=f"{FIRST}, {key}"),
    ):
        refuses(done, "key 2 of 2", says, "secrets.token_urlsafe(32)")
        assert f" {key} " not in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.case("security L9")
@pytest.mark.parametrize("command", [["worker"], ["createkey", "ops"], ["runserver", "--noreload", "127.0.0.1:0"]])
def test_a_key_that_can_be_guessed_is_refused_by_every_command(tmp_path, command):
    (tmp_path / "a.db").touch()  # Without a database they end before.

    done = manage(*command, DATABASE_URL=f"sqlite:///{tmp_path}/a.db", OPENINTENT_API_KEYS="agent-research-key")

    assert done.returncode != 0
    assert "OPENINTENT_API_KEYS (--api-keys): the key is well known" in done.stderr


def test_keys_of_dev_mode_are_well_known():
    assert key_lookup.DEV_KEYS.keys() <= WELL_KNOWN_KEYS


PROGRAM = """
from openintent.server import OpenIntentServer
OpenIntentServer(port=0, host={host!r}, database_url={database_url!r}, api_keys={{"my-secret-key", "agent-key"}}).run()
"""


@pytest.mark.case("security L9")
def test_a_program_may_give_short_keys_on_a_loopback_address_alone(database_url):
    server = Started(database_url, OPENINTENT_DEV_MODE="")
    server.start("-c", PROGRAM.format(host="127.0.0.1", database_url=database_url))
    try:
        statuses = [
            requests.get(f"{server.api}/keys", headers={"X-API-Key": key}, timeout=10).status_code
            for key in ("my-secret-key", "agent-key", "dev-user-key")
        ]
    finally:
        server.stop()
    assert statuses == [200, 200, 401]
    assert "Some are guessable" in "\n".join(server.log)


@pytest.mark.case("security L9")
def test_program_cannot_use_weak_keys_beyond_loopback(database_url):
    program = PROGRAM.format(host="0.0.0.0", database_url=database_url)
    environment = {**os.environ, "OPENINTENT_DEV_MODE": ""}

    refused = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=False)

    assert refused.returncode == 1
    assert "CannotStart: OPENINTENT_API_KEYS (--api-keys): key 1 of 2 " in refused.stderr


def test_once_a_key_is_made_the_next_start_is_not_in_dev_mode(database_url):
    """A proxy on the same machine would let the whole world in with a key that everybody knows."""
    with Server(database_url, OPENINTENT_DEV_MODE="") as first:
        made = requests.post(f"{first.api}/keys", json={"name": "ops", "role": "operator"}, headers=KEY, timeout=10).json()

    with Server(database_url, OPENINTENT_DEV_MODE="") as second:
        assert requests.get(f"{second.api}/keys", headers={"X-API-Key": made["key"]}, timeout=10).status_code == 200
        refused = requests.get(f"{second.api}/keys", headers=KEY, timeout=10)

    assert (refused.status_code, refused.json()["code"]) == (401, "unauthenticated")
    assert "dev mode" in refused.json()["detail"]


def test_dev_mode_is_refused_where_others_can_reach_the_server(database_url):
    refuses(start("--host", "0.0.0.0", "--port", "0", "--database-url", database_url, OPENINTENT_DEV_MODE="true"), "Unset it")


def test_a_revocation_reaches_every_process_within_seconds(vendor, database_url):
    """The memory of another process is five seconds old at most (tests/access has its clock); here it is not asked to forget."""
    with ExitStack() as stack:
        servers = [stack.enter_context(Server(database_url)) for _ in range(2 if vendor == "postgresql" else 1)]
        made = requests.post(f"{servers[0].api}/keys", json={"name": "ci", "role": "agent"}, headers=KEY, timeout=10).json()

        def status(server):
            return requests.get(f"{server.api}/intents", headers={"X-API-Key": made["key"]}, timeout=10).status_code

        assert [status(server) for server in servers] == [200] * len(servers)
        requests.delete(f"{servers[0].api}/keys/{made['id']}", headers=KEY, timeout=10)

        assert status(servers[0]) == 401
        until(lambda: status(servers[-1]) == 401)


# --- what others on the network, or on the machine, could see --------------------------------------------------------


@pytest.mark.case("security L14")
def test_debug_is_refused_where_others_can_reach_the_server(tmp_path):
    database_url = f"sqlite:///{tmp_path}/a.db"
    for done in (
        start("--host", "0.0.0.0", "--port", "0", "--database-url", database_url, "--debug", "--api-keys", FIRST),
        start("--host", "0.0.0.0", "--port", "0", DATABASE_URL=database_url, OPENINTENT_DEBUG="true", OPENINTENT_API_KEYS=FIRST),
        start("--port", "0", "--database-url", database_url, "--debug", OPENINTENT_BEHIND_TLS="true"),
    ):
        refuses(done, "OPENINTENT_DEBUG shows code and values to", "Unset")
    for command in (["runserver", "--noreload", "0.0.0.0:0"], ["check"]):
        behind = {"OPENINTENT_BEHIND_TLS": "true"} if command == ["check"] else {}
        done = manage(*command, DATABASE_URL=database_url, OPENINTENT_DEBUG="true", **behind)
        assert done.returncode != 0
        assert "OPENINTENT_DEBUG shows code and values to" in done.stderr
    assert not list(tmp_path.glob("a.db"))


@pytest.mark.case("security L14")
def test_page_of_a_failure_shows_no_password_in_debug_mode(database_url):
    """A page that is no part of the API: Django's own, with all settings."""
    password = "Spr1ngf1eld"
    broken = dict.fromkeys(["OPENINTENT_URLCONF"], "tests.core.broken_urls")
    environment = {"REDIS_URL": f"redis://:{password}@127.0.0.1:1/0", "OPENINTENT_ATTACHMENTS_S3_BUCKET": "a"}
    environment |= {"OPENINTENT_ATTACHMENTS_S3_ACCESS_KEY": password, "OPENINTENT_ATTACHMENTS_S3_SECRET_KEY": password}
    with Server(database_url, OPENINTENT_DEBUG="true", **environment, **broken) as server:
        page = requests.get(f"{server.url}/fails", headers={"Accept": "text/html"}, timeout=10)

    assert page.status_code == 500
    assert "MAX_EVENT_PAYLOAD" in page.text
    assert password not in page.text


def modes(folder):
    """The files of a folder and below that others than their owner may touch, with their modes."""
    return {str(path): oct(path.stat().st_mode) for path in folder.rglob("*") if path.stat().st_mode & 0o077}


@pytest.mark.case("security M7")
def test_files_of_the_server_are_its_users_alone(vendor, tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    database_url = fresh_database(vendor, home)
    before = os.umask(0o022)
    places = {"OPENINTENT_ATTACHMENTS_DIR": str(home / "files/attachments"), "OPENINTENT_SECRET_KEY": ""}
    try:
        with Started(database_url, **places) as server:
            intent = requests.post(f"{server.api}/intents", json={"title": "Do it"}, headers=KEY, timeout=10).json()
            body = {"filename": "a.txt", "content_base64": "YQ==", "content_type": "text/plain"}
            path = f"{server.api}/intents/{intent['id']}/attachments"
            assert requests.post(path, json=body, headers=KEY, timeout=10).status_code == 201
            while_it_runs = modes(home)
            names = {file.name.partition(".")[2] for file in home.glob("*") if file.is_file()}
        manage("migrate", DATABASE_URL=f"sqlite:///{home}/other.db", **places)
    finally:
        os.umask(before)

    assert (while_it_runs, modes(home)) == ({}, {})
    assert (home / "other.db").exists()
    if vendor == "sqlite":
        assert {"db", "db-wal", "db-shm", "db.lock", "db.secret"} <= names


@pytest.mark.case("security M7")
def test_files_that_an_older_version_left_open_are_named_at_the_start(tmp_path):
    database_url = migrated_database("sqlite", tmp_path)
    file = Path(database_url.removeprefix("sqlite:///"))
    file.chmod(0o644)
    attachments = tmp_path / "attachments"
    attachments.mkdir(mode=0o755)

    with Server(database_url, OPENINTENT_ATTACHMENTS_DIR=str(attachments)) as server:
        said = "\n".join(server.log)

    assert f"chmod go= {file} " in said
    assert str(attachments) in said

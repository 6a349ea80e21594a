"""The server at a terminal: its banner, its log, and `runserver`."""

import contextlib
import os
import re
import socket
import subprocess
import sys
import threading
from contextlib import closing

import pytest
import requests

from tests.config.server_commands import KEY, manage, refuses, start, until
from tests.databases import fresh_database, migrated_database
from tests.processes import ROOT
from tests.servers import Server

pytestmark = pytest.mark.full


def is_listening(site):
    with contextlib.suppress(requests.ConnectionError):
        return requests.get(f"{site}/healthz", timeout=30).ok


@pytest.mark.case("console M16")
def test_at_a_terminal_the_log_is_text_and_leaves_out_what_pages_ask_for(vendor, tmp_path):
    main, terminal = os.openpty()
    database_url = migrated_database(vendor, tmp_path)
    environment = {**os.environ, "OPENINTENT_LOG_LEVEL": "info", "OPENINTENT_ATTACHMENTS_DIR": str(tmp_path / "files")}
    command = [sys.executable, "-m", "config.server", "--port", "0", "--database-url", database_url]
    server = subprocess.Popen(command, cwd=ROOT, env=environment, stderr=terminal)
    os.close(terminal)
    written = []

    def read():
        with contextlib.suppress(OSError):  # The other end is closed.
            while text := os.read(main, 65_536):
                written.append(text.decode())

    reader = threading.Thread(target=read)
    reader.start()
    log = lambda: "".join(written)  # noqa: E731
    try:
        until(lambda: "Database" in log() and "Dev mode" in log())
        url = re.search(r"API +(http://\S+)/api/v1", log())[1]
        until(lambda: is_listening(url))
        page = {"Sec-Fetch-Dest": "document"}
        for path, headers in [
            ("/static/console/console.css", {}),
            ("/healthz", {}),
            ("/docs", {"Sec-Fetch-Dest": "empty"}),
            ("/admin/login/", page),
            ("/api/v1/intents", {**KEY, "Sec-Fetch-Dest": "empty"}),
            ("/static/nowhere.css", {}),
        ]:
            requests.get(f"{url}{path}", headers=headers, timeout=10)
        until(lambda: "nowhere.css" in log())
    finally:
        server.terminate()
        server.wait(timeout=60)
        reader.join()
        os.close(main)

    requested = re.findall(r"INFO +GET (\S+)", log())
    assert requested == ["/admin/login/", "/api/v1/intents", "/static/nowhere.css"]
    assert '{"at"' not in log()


@pytest.mark.case("console M24")
def test_the_banner_names_the_database_without_its_password(vendor, tmp_path):
    database_url = fresh_database(vendor, tmp_path)
    with Server(database_url) as server:
        shown = next(line for line in server.log if line.startswith("  Database  "))

    assert re.fullmatch(r"  Database  (/\S+\.db|\S+ on \S+, port \d+)", shown)
    assert str(tmp_path) in shown or vendor == "postgresql"
    assert "@" not in shown


@pytest.mark.case("console M2")
def test_once_a_key_is_made_the_banner_says_how_to_go_on(vendor, tmp_path):
    database_url = migrated_database(vendor, tmp_path)
    assert manage("createkey", "ops", DATABASE_URL=database_url, OPENINTENT_SECRET_KEY="x" * 40).returncode == 0

    with Server(database_url, OPENINTENT_DEV_MODE="", OPENINTENT_SECRET_KEY="x" * 40) as server:
        shown = "\n".join(server.log)

    assert "OPENINTENT_DEV_MODE=true keeps it on" in shown
    assert "openintent-manage createoperator NAME" in shown


@pytest.mark.case("console M23")
def test_a_variable_that_is_no_setting_is_named_at_the_start(database_url):
    with Server(database_url, OPENINTENT_PROT="9000") as server:
        assert any("Did you mean OPENINTENT_PORT?" in line for line in server.log)


@pytest.mark.case("console L7")
def test_a_missing_folder_is_named_by_the_database(tmp_path):
    done = start("--port", "0", "--database-url", f"sqlite:///{tmp_path}/none/a.db")

    refuses(done, f"{tmp_path}/none/a.db")
    assert ".secret." not in done.stderr


# --- runserver -------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def runserver(database_url):
    """Run it on a free port. Return its address and the lines that it writes, as they come."""
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]
    environment = {**os.environ, "DATABASE_URL": database_url, "PYTHONUNBUFFERED": "1", "OPENINTENT_DEV_MODE": ""}
    command = [sys.executable, "-m", "config.manage", "runserver", "--noreload", f"127.0.0.1:{port}"]
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        yield f"http://localhost:{port}", process.stdout
    finally:
        process.terminate()
        process.communicate(timeout=60)


@pytest.mark.case("console M15")
def test_runserver_says_which_migrations_are_missing(tmp_path):
    (tmp_path / "a.db").touch()

    with runserver(f"sqlite:///{tmp_path}/a.db") as (_, lines):
        said = "".join(iter(lines.readline, "Quit the server with CONTROL-C.\n"))

    assert "unapplied migration(s)" in said
    assert "Sign in" not in said


@pytest.mark.case("console M15")
def test_runserver_prints_the_sign_in_link_of_dev_mode(tmp_path):
    with runserver(migrated_database("sqlite", tmp_path)) as (site, lines):
        said = "".join(iter(lines.readline, "Quit the server with CONTROL-C.\n"))
        link = re.search(r"Sign in   (http://\S+) ", said)[1]
        assert link.startswith(f"{site}/admin/enter/?token=")
        until(lambda: is_listening(site))
        answer = requests.get(link, allow_redirects=False, timeout=30)

    assert answer.headers["Location"] == "/admin/"

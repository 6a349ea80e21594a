"""`openintent-server --workers N`: several processes serve one port, and each of them may die."""

import os
import signal
import socket
import subprocess
import sys
from contextlib import ExitStack

import psutil
import pytest

from core.serving.supervisor import StartupFailed, Supervisor
from tests.servers import Server
from tests.system.concurrent_clients import Http, until
from tests.system.conftest import ROOT

pytestmark = [pytest.mark.full, pytest.mark.database("postgresql")]


SIZE = 3
CONNECTIONS = 60
STUCK_SOON = (
    "import sys, core.serving.supervisor, config.server; core.serving.supervisor.HEARTBEAT_TIMEOUT = 3.0; core.serving.supervisor.START_TIMEOUT = 30.0; "
    "config.server.main(sys.argv[1:])"
)
"""A process that says that it has started may be stuck before its first beat."""


@pytest.fixture
def start(database_url):
    """`start(3)`: a server of so many processes. `program` is what Python runs, instead of the server as it is."""
    with ExitStack() as stack:

        def start(size, *program):
            server = Server(database_url, OPENINTENT_WORKERS=str(size)).start(*program)
            stack.callback(server.stop)
            return server, all_started(server, size)

        yield start


def members(server):
    return {member.pid: member for member in psutil.Process(server.process.pid).children()}


def started(server):
    """The processes that have said so."""
    return [pid for pid in members(server) if any(f"Started server process [{pid}]" in line for line in server.log)]


def connections(server, member):
    """Return the number of client connections of a process."""
    port = int(server.url.rpartition(":")[2])
    return sum(each.laddr.port == port and each.status == psutil.CONN_ESTABLISHED for each in member.net_connections("tcp"))


def are_gone(pids):
    return not any(psutil.pid_exists(pid) for pid in pids)


def all_started(server, size):
    return until(lambda: len(found := started(server)) == size and set(found), "all processes")


@pytest.mark.rule("S-3")
def test_the_processes_share_the_port_and_one_that_is_killed_is_replaced(start):
    crew, before = start(SIZE)
    with ExitStack() as stack:
        clients = [stack.enter_context(Http(crew)) for _ in range(CONNECTIONS)]
        assert len({client.create()["id"] for client in clients}) == CONNECTIONS
        taken = {pid: connections(crew, member) for pid, member in members(crew).items()}
    assert (len(taken), sum(taken.values())) == (SIZE, CONNECTIONS)
    assert sum(map(bool, taken.values())) > 1, taken

    victim = max(before)
    os.kill(victim, signal.SIGKILL)
    until(lambda: victim not in members(crew), "the end")
    for _ in range(20):  # While it is being replaced.
        with Http(crew) as http:
            http.create()
    after = all_started(crew, SIZE)

    assert len(after - before) == 1
    assert any(f"process {victim} exited with code -9 and is replaced" in line for line in crew.log)
    assert_all_are_the_same(members(crew).values())
    assert crew.stop() == 0
    assert are_gone(after)
    assert sum("Finished server process" in line for line in crew.log) == SIZE
    assert "  Workers   3 processes share the port." in crew.log


def assert_all_are_the_same(processes):
    """In what would else be made up by each of them."""
    environments = [process.environ() for process in processes]
    for name in ("OPENINTENT_SECRET_KEY", "OPENINTENT_DEV_MODE"):
        assert len({environment[name] for environment in environments}) == 1


def test_interrupted_all_end(start):
    crew, pids = start(2)

    crew.process.send_signal(signal.SIGINT)

    assert crew._wait() == 130
    assert are_gone(pids)
    assert not [line for line in crew.log if "Traceback" in line]


def test_stuck_process_is_replaced_and_none_outlives_the_supervisor(start):
    crew, before = start(2, "-c", STUCK_SOON)
    stuck = min(before)
    os.kill(stuck, signal.SIGSTOP)
    until(lambda: stuck not in members(crew), "the end")
    assert any(f"process {stuck} is stuck" in line for line in crew.log)
    after = all_started(crew, 2)
    assert len(after - before) == 1

    crew.kill()

    until(lambda: are_gone(after), "the end of all")


def test_where_none_can_start_the_crew_gives_up(capfd):
    with socket.create_server(("127.0.0.1", 0)) as listener, pytest.raises(StartupFailed, match="before it could serve"):
        Supervisor(2, listener, {"DATABASE_URL": "nowhere"}).run()

    assert "nowhere" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("workers", "says"),
    [
        ("2", "2 processes cannot share an SQLite file"),
        ("0", "1 to 256"),
        ("257", "1 to 256"),
        ("many", "1 to 256"),
    ],
)
def test_invalid_number_of_workers_is_refused(tmp_path, workers, says):
    command = [sys.executable, "-m", "config.server", "--port", "0", "--database-url", f"sqlite:///{tmp_path}/a.db"]
    for done in (
        subprocess.run([*command, "--workers", workers], cwd=ROOT, capture_output=True, text=True, check=False),
        subprocess.run(
            command, cwd=ROOT, env={**os.environ, "OPENINTENT_WORKERS": workers}, capture_output=True, text=True, check=False
        ),
    ):
        assert done.returncode in (1, 2)
        assert says in done.stderr
        assert "Traceback" not in done.stderr

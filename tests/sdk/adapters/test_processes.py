"""Events are with the server when the process that logged them has ended, however it ended (K-6)."""

import os
import socket
import subprocess
import sys
import time

import pytest

from tests.processes import ROOT

pytestmark = [pytest.mark.rule("K-6"), pytest.mark.full, pytest.mark.database("sqlite")]

REQUEST = ["llm_request_started", "llm_request_completed"]


@pytest.fixture
def program(server, intent):
    """Runs tests.sdk.adapters.program to its end, in a Python of its own: those that are forked end otherwise."""

    def program(what, url=server.url):
        environment = {**os.environ, "PYTHONPATH": f"{ROOT}/sdk"}
        command = [sys.executable, "-m", "tests.sdk.adapters.program", what, url, intent.id]
        return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False)

    return program


@pytest.fixture
def logged(api, intent):
    return lambda: [(event.payload["model"], event.event_type) for event in api.get_events(intent.id)[1:]]


def of(model, kinds):
    return [(model, kind) for kind in kinds]


def test_a_program_that_ends_has_logged_everything(program, logged):
    ended = program("ends")

    assert (ended.returncode, ended.stderr) == (0, "")
    assert logged() == of("main", REQUEST)


def test_program_that_fails_has_logged_everything(program, logged):
    ended = program("fails")

    assert ended.returncode == 1
    assert "ZeroDivisionError: on purpose" in ended.stderr
    assert logged() == of("main", REQUEST)


def test_a_stream_that_is_open_at_the_end_is_cancelled(program, logged, api, intent):
    assert program("streams").returncode == 0

    assert logged() == of("main", ["llm_request_started", "stream_started", "stream_cancelled"])
    assert api.get_events(intent.id)[-1].payload["reason"] == "the process ended"


@pytest.mark.parametrize("way", ["forks", "multiprocesses"])
def test_a_forked_child_logs_its_own_events_and_no_other(program, logged, way):
    ended = program(way)

    assert ended.returncode == 0, ended.stderr
    events = logged()
    assert sorted(events) == sorted(event for model in ("before", "child", "main") for event in of(model, REQUEST))
    assert [event for event in events if event[0] == "child"] == of("child", REQUEST)


def test_program_exit_does_not_wait_for_an_unavailable_server(program):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        away = f"http://127.0.0.1:{free.getsockname()[1]}"
    begun = time.monotonic()

    ended = program("ends", away)

    assert ended.returncode == 0
    assert "2 entries for the OpenIntent server were not sent" in ended.stderr
    assert time.monotonic() - begun < 30

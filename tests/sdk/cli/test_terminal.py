"""The program as a process: on a terminal, behind a pipe, with Ctrl-C."""

import json
import os
import re
import signal
import subprocess

import pytest
from openintent import OpenIntentClient

from tests.databases import migrated_database
from tests.sdk.cli.terminal import COMMAND, Terminal
from tests.servers import Server

pytestmark = [pytest.mark.full, pytest.mark.database("sqlite")]


@pytest.fixture
def environment(server):
    return {"OPENINTENT_URL": server.url, "OPENINTENT_API_KEY": "dev-user-key", "OPENINTENT_AGENT_ID": "boss"}


@pytest.fixture
def following(environment):
    """`following("-f", …)`: a process that follows the log."""
    processes = []

    def start(*arguments):
        process = subprocess.Popen(
            [*COMMAND, "tail", "-f", "-n", "1", *arguments],
            env={**os.environ, **environment}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        processes.append(process)
        return process

    yield start
    for process in processes:
        process.kill()
        process.communicate()


def test_a_terminal_has_colours_and_short_ids(environment, client, intent):
    with Terminal("show", intent.id, **environment) as terminal:
        assert terminal.ended() == 0

    assert "\x1b[1mBook flights" in terminal.shown


def test_no_color_is_respected(environment, intent):
    with Terminal("show", intent.id, NO_COLOR="1", **environment) as terminal:
        assert terminal.ended() == 0

    assert not re.search(r"\x1b\[[0-9;]*3[0-9]", terminal.shown)


@pytest.mark.parametrize("columns", [40, 80, 200])
def test_every_line_fits_the_terminal(environment, client, columns):
    intent = client.create_intent("A long title of pelicans " * 5, assign=["agent:research", "agent:synth"])

    with Terminal("intents", "--text", "pelicans", columns=columns, **environment) as terminal:
        assert terminal.ended() == 0

    lines = terminal.text.splitlines()
    assert max(map(len, lines)) <= columns
    assert all(word in lines[0] for word in ("ID", "STATUS", "TITLE"))
    assert any(line.startswith(intent.id if columns == 200 else intent.id[-8:]) for line in lines)


def test_decide_prompts_on_the_terminal(environment, client, intent):
    asked = client.request_arbitration(intent.id, "Which airline?", options=["north", "south"])

    with Terminal("decide", asked.id, **environment) as terminal:
        terminal.until("Which airline?").until("Decision").type("3\n")
        terminal.until("Not one of the options").type("2\n")
        terminal.until("Rationale").type("Because\n")
        terminal.until("Decide for south?").type("\n")
        assert terminal.ended() == 0

    [decision] = client.get_decisions(intent.id)
    assert (decision.decision, decision.rationale, decision.decided_by) == ("south", "Because", "boss")


@pytest.mark.parametrize("way", ["no", "ctrl-c"])
def test_declined_prompt_decides_nothing(environment, client, intent, way):
    asked = client.request_arbitration(intent.id, "Which airline?")

    with Terminal("decide", asked.id, "--rationale", "x", **environment) as terminal:
        terminal.until("Decision")
        if way == "no":
            terminal.type("north\n")
            terminal.until("Decide for north?").type("n\n")
        assert (terminal.ended() if way == "no" else terminal.interrupted()) in (1, 130)

    assert client.get_decisions(intent.id) == []


def test_follow_prints_events_until_ctrl_c_and_the_position(following, client, intent):
    process = following(intent.id, "--type", "comment", "--json")
    client.log_event(intent.id, "comment", {"text": "before"})  # The process may start before or after it.
    first = json.loads(process.stdout.readline())
    client.log_event(intent.id, "other")
    client.log_event(intent.id, "comment", {"text": "after"})
    second = json.loads(process.stdout.readline())

    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)

    assert ([each["payload"]["text"] for each in (first, second)], out) == (["before", "after"], "")
    assert process.returncode == 0
    assert err == (
        f"Stopped at position {second['position']}. Resume with: "
        f"openintent tail -f {intent.id} --type comment --after {second['position']}\n"
    )


def test_after_resumes_without_a_gap(following, client, intent):
    client.log_event(intent.id, "comment", {"text": "one"})
    position = client.get_events(intent.id)[-1].position
    client.log_event(intent.id, "comment", {"text": "two"})

    process = following("--after", str(position), "--type", "comment", "--json")  # Leases of other tests end meanwhile.
    client.log_event(intent.id, "comment", {"text": "three"})

    assert [json.loads(process.stdout.readline())["payload"].get("text") for _ in range(2)] == ["two", "three"]


def test_a_stream_survives_the_server(vendor, tmp_path, following, environment):
    with Server(migrated_database(vendor, tmp_path)) as server, OpenIntentClient(server.url, "dev-user-key") as client:
        intent, server.port = client.create_intent("Survivor"), server.url.rpartition(":")[2]
        environment["OPENINTENT_URL"] = server.url
        process = following("--json")
        assert process.stdout.readline()

        server.stop()
        server.start()
        client.log_event(intent.id, "comment", {"text": "again"})

        assert json.loads(process.stdout.readline())["payload"] == {"text": "again"}
        process.send_signal(signal.SIGINT)
        assert "reconnecting in" in process.communicate(timeout=30)[1]


@pytest.mark.parametrize(
    "arguments", [("tail", "--after", "0"), ("tail", "--after", "0", "--json"), ("show", "{}", "--events", "1000", "--json")]
)
def test_closed_pipe_is_no_error(environment, client, arguments):
    intent = client.create_intent("Something")
    for _ in range(3):  # More than the pipe holds, so that it is still writing.
        client.log_events(intent.id, [{"event_type": "comment", "payload": {"text": "x" * 1000}}] * 100)

    with subprocess.Popen(
        [*COMMAND, *(each.format(intent.id) for each in arguments)],
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == ""

    assert process.returncode == 0

"""Standard streams that are closed, full, or a pipe without a reader: no command ends with a traceback."""

import os
import subprocess

import pytest

from tests.sdk.cli.terminal import COMMAND

pytestmark = [pytest.mark.full, pytest.mark.database("sqlite")]

COMMANDS = [
    "", "--help", "--version", "intents", "intents --json", "show ID", "show ID --json", "tree ID", "tail", "tail --json",
    "create Title", "create Title -q", "patch ID a=1", "comment ID Hello", "assign ID bob", "costs", "costs ID", "failures",
    "attachments list ID", "attachments download ID note.txt -o -", "api intents", "api /docs", "ping", "arbitrate", "leases",
    "portfolio", "delegations", "permits --intent ID", "gates", "keys", "webhooks", "profiles", "open ID --print", "unknown", "show nothing", "--help --json",
]  # fmt: skip
WAYS = {"output closed": ">&-", "output full": ">/dev/full", "no reader": "| true", "all closed": "<&- >&- 2>&-",
        "errors full": ">/dev/null 2>/dev/full"}  # fmt: skip


@pytest.fixture
def run(server, tmp_path, intent, client):
    client.add_attachment(intent.id, "note.txt", content=b"Hello")
    environment = {**os.environ, "OPENINTENT_URL": server.url, "OPENINTENT_API_KEY": "dev-user-key",
                   "OPENINTENT_AGENT_ID": "boss", "XDG_CONFIG_HOME": str(tmp_path)}  # fmt: skip

    def run(command, redirection):
        words = command.replace("ID", intent.id).split()
        script = f'set -o pipefail; "$@" {redirection}'
        return subprocess.run(["bash", "-c", script, "bash", *COMMAND, *words], env=environment, capture_output=True, text=True)

    return run


@pytest.mark.parametrize("way", WAYS)
def test_output_that_cannot_be_written_ends_without_a_traceback(run, way):
    codes = set()
    for command in COMMANDS:
        ended = run(command, WAYS[way])

        assert "Traceback" not in ended.stderr + ended.stdout, command
        assert "Exception ignored" not in ended.stderr, command
        assert "internal error" not in ended.stderr, command
        codes.add(ended.returncode)
    assert codes <= {0, 1, 2, *([74] if way == "output full" else [])}


def test_a_full_disk_is_an_error(run):
    ended = run("intents --json", WAYS["output full"])

    assert (ended.returncode, ended.stderr) == (74, "error: cannot write the output: No space left on device\n")


def test_a_closed_output_is_no_error(run):
    assert [run("intents", WAYS[way]).returncode for way in ("output closed", "no reader", "all closed")] == [0, 0, 0]


def test_an_error_keeps_its_code_without_a_place_to_say_it(run):
    assert run("show nothing", WAYS["errors full"]).returncode == 2
    assert run("show 0199f3a2-7c41-7d52-9d1e-3f6a5b0c8e21", WAYS["all closed"]).returncode == 1

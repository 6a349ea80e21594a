"""Tutorial, run as a new user does: from the wheel, in an empty folder, with servers and agents as processes."""

import os
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest
import requests

from tests.processes import ROOT

from . import run_shell_blocks
from .blocks import blocks
from .run_pages import matches

pytestmark = [pytest.mark.full, pytest.mark.database("postgresql")]


TUTORIAL = ROOT / "docs/tutorial.md"
TIMEOUT = 60


def run(*command, **options) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT, check=False, **options)
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


class TutorialRunner:
    """Runs the blocks of the page in `folder`; commands in a terminal of their own run until the end."""

    def __init__(self, environment: Path, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        bare = {name: os.environ[name] for name in ("HOME", "LANG", "TMPDIR") if name in os.environ}
        self.environment = {
            **bare,
            "PATH": f"{environment / 'bin'}:{os.environ['PATH']}",
            "OPENINTENT_PORT": str(self.port),
            "OPENINTENT_URL": f"http://localhost:{self.port}",
            "PYTHONWARNINGS": "error",
        }
        self.terminals: dict[str, subprocess.Popen] = {}
        self.output = ""

    def run(self, block) -> None:
        code = block.code.replace(run_shell_blocks.ADDRESS, f"http://localhost:{self.port}")
        if block.title.endswith(".py"):
            (self.folder / block.title).write_text(code)
        elif block.title:
            self.start(block.title, code)
        elif block.language == "bash":
            self.output = "".join(
                self.command(each) for each in run_shell_blocks.commands(code) if run_shell_blocks.reason_not_to_run(each) is None
            )
        else:
            assert matches(code, self.output), f"{block} has\n{code}\nbut the output is\n{self.output}"

    def command(self, command: str) -> str:
        return run("bash", "-euc", command, cwd=self.folder, env=self.environment)

    def start(self, title: str, command: str) -> None:
        with (self.folder / f"{title}.log").open("w") as log:
            self.terminals[title] = subprocess.Popen(
                ["bash", "-c", f"exec {command}"], cwd=self.folder, env=self.environment, stdout=log, stderr=log
            )
        if "openintent-server" in command:
            self.wait_until_ready(self.terminals[title])

    def wait_until_ready(self, server: subprocess.Popen) -> None:
        deadline = time.monotonic() + TIMEOUT
        while server.poll() is None and time.monotonic() < deadline:
            try:
                return requests.get(f"http://localhost:{self.port}/readyz", timeout=TIMEOUT).raise_for_status()
            except requests.ConnectionError:
                time.sleep(0.05)
        raise AssertionError("the server is not ready")

    def stop(self) -> dict[str, int]:
        """Stop the processes, the last one first. Return their exit codes."""
        for process in reversed(self.terminals.values()):
            process.send_signal(signal.SIGTERM)
            process.wait(TIMEOUT)
        return {title: process.returncode for title, process in self.terminals.items()}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


ASK_AGAIN = """
import os
from openintent import OpenIntentClient
with OpenIntentClient(os.environ["OPENINTENT_URL"], api_key="dev-user-key", agent_id="hugo") as client:
    intent = client.create_intent(title="Another report")
    client.request_arbitration(intent.id, "Shall it be long?", options=["yes", "no"])
"""


@pytest.mark.case("console M13")
def test_tutorial_runs_from_the_wheel(installed, tmp_path):
    tutorial = TutorialRunner(installed, tmp_path)
    try:
        where = tutorial.command(
            "python -c 'import openintent, openintent_server as server; print(openintent.__file__, server.ROOT)'"
        )
        for block in blocks(TUTORIAL):
            tutorial.run(block)
        (tmp_path / "ask_again.py").write_text(ASK_AGAIN)
        again = tutorial.command("python ask_again.py; python decide.py no")
    finally:
        ended = tutorial.stop()

    assert where.count(str(installed)) == 2
    assert again == "hugo asks: Shall it be long?\ngrace decides: no\n"
    assert ended == {"Terminal 1": 0, "Terminal 2": 0, "Terminal 3": 0}
    logs = {path.name: path.read_text() for path in tmp_path.glob("*.log")}
    assert "Traceback" not in "".join(logs.values()), logs

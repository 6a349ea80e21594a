"""The tutorial as a new user walks it: from the wheel, in an empty folder, with servers and agents as processes of their own."""

import os
import signal
import socket
import subprocess
import time
from pathlib import Path

import requests

from tests.processes import ROOT

from . import shell
from .blocks import blocks
from .play import matches

TUTORIAL = ROOT / "docs/tutorial.md"
PATIENCE = 60


def run(*command, **options) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False, **options)
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


class Walk:
    """Does what a reader of the page does, in `folder`; commands in a terminal of their own go on until the end."""

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
        self.said = ""

    def do(self, block) -> None:
        code = block.code.replace(shell.ADDRESS, f"http://localhost:{self.port}")
        if block.title.endswith(".py"):
            (self.folder / block.title).write_text(code)
        elif block.title:
            self.begin(block.title, code)
        elif block.language == "bash":
            self.said = "".join(self.command(each) for each in shell.commands(code) if shell.reason_not_to_run(each) is None)
        else:
            assert matches(code, self.said), f"{block} says\n{code}\nand what came is\n{self.said}"

    def command(self, command: str) -> str:
        return run("bash", "-euc", command, cwd=self.folder, env=self.environment)

    def begin(self, title: str, command: str) -> None:
        with (self.folder / f"{title}.log").open("w") as log:
            self.terminals[title] = subprocess.Popen(
                ["bash", "-c", f"exec {command}"], cwd=self.folder, env=self.environment, stdout=log, stderr=log
            )
        if "openintent-server" in command:
            self.until_it_answers(self.terminals[title])

    def until_it_answers(self, server: subprocess.Popen) -> None:
        deadline = time.monotonic() + PATIENCE
        while server.poll() is None and time.monotonic() < deadline:
            try:
                return requests.get(f"http://localhost:{self.port}/readyz", timeout=PATIENCE).raise_for_status()
            except requests.ConnectionError:
                time.sleep(0.05)
        raise AssertionError("the server does not answer")

    def leave(self) -> dict[str, int]:
        """End what still runs, the last one first. Answers how each ended."""
        for process in reversed(self.terminals.values()):
            process.send_signal(signal.SIGTERM)
            process.wait(PATIENCE)
        return {title: process.returncode for title, process in self.terminals.items()}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_a_new_user_gets_through_the_tutorial(installed, tmp_path):
    walk = Walk(installed, tmp_path)
    try:
        where = walk.command(
            "python -c 'import openintent, openintent_server as server; print(openintent.__file__, server.ROOT)'"
        )
        for block in blocks(TUTORIAL):
            walk.do(block)
    finally:
        ended = walk.leave()

    assert where.count(str(installed)) == 2
    assert ended == {"Terminal 1": 0, "Terminal 2": 0, "Terminal 3": 0}
    logs = {path.name: path.read_text() for path in tmp_path.glob("*.log")}
    assert "Traceback" not in "".join(logs.values()), logs

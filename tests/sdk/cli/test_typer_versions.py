"""The help of every command, with each minor version of typer that the extra allows."""

import json
import os
import subprocess
import sys

import pytest

pytestmark = [pytest.mark.full, pytest.mark.database("sqlite")]

PROGRAM = """
import json, sys
import typer
from typer.testing import CliRunner
from openintent.cli.app import app

def commands(group, path=()):
    yield path, group
    for name, command in getattr(group, "commands", {}).items():
        yield from commands(command, (*path, name))

found = {}
for path, command in commands(typer.main.get_command(app)):
    run = CliRunner().invoke(app, [*path, "--help"], env={"COLUMNS": "200", "TERMINAL_WIDTH": "200"})
    words = {each.name: each.help.split()[0] for each in command.params if getattr(each, "help", None)}
    found[" ".join(path)] = [run.exit_code, run.output, words, [each.name for each in command.params]]
json.dump(found, sys.stdout)
"""


@pytest.fixture(params=["0.26.0", "0.27.3", "0.28.0", "0.29.2"])
def helps(request, tmp_path):
    """Return the exit code and output of each command's help, and the first words that it has of each parameter."""
    install = [
        sys.executable,
        "-m",
        "uv",
        "pip",
        "install",
        "-q",
        "--target",
        tmp_path,
        f"typer=={request.param}",
        "rich>=15,<16",
    ]
    installed = subprocess.run([*map(str, install)], capture_output=True, text=True)
    assert installed.returncode == 0, installed.stderr
    environment = {**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{os.environ.get('PYTHONPATH', 'sdk')}"}
    run = subprocess.run([sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


def test_help_is_tidy(helps):
    assert {"", "show", "webhooks listen"} <= helps.keys()
    for command, (code, text, words, parameters) in helps.items():
        assert code == 0, command
        assert words.keys() == set(parameters), f"{command}: a parameter has no help"
        for name, word in words.items():
            assert word in text, f"{command}: {name}"
        assert "[[" not in text, command
        assert "Traceback" not in text, command

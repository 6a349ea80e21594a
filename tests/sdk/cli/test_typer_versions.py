"""The help of every command, with each minor version of typer that the extra allows."""

import json
import os
import re
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
wrong = [["intents", "-n", "x"], ["status", "0000", "x"], ["costs", "--since", "x"]]
json.dump([found, [CliRunner().invoke(app, each).stderr for each in wrong]], sys.stdout)
"""


@pytest.fixture(params=["0.26.0", "0.27.3", "0.28.0", "0.29.2"])
def shown(request, tmp_path):
    """Return the exit code and output of each command's help, with the first words that it has of each parameter, and errors."""
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


@pytest.mark.case("console M20")
def test_help_and_errors_are_tidy(shown):
    helps, errors = shown
    assert {"", "show", "webhooks listen"} <= helps.keys()
    for command, (code, text, words, parameters) in helps.items():
        assert code == 0, command
        assert words.keys() == set(parameters), f"{command}: a parameter has no help"
        for name, word in words.items():
            assert word in text, f"{command}: {name}"
        assert not re.search(r"\[\[|<\w+>|[{}]|Traceback|(?m: $)", text), f"{command}: {text}"
    assert "Usage: openintent create TITLE [OPTIONS]\n" in helps["create"][1].replace("root ", "openintent ")
    assert "a[b]=1" in helps["api"][1]
    for text in errors:
        assert re.search(r"not a whole number|'x' is not (one of|a duration)", text)
        assert not re.search(r"Value error|Input should|\bint\b|[{}]", text), text

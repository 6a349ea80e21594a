"""The reference in docs/cli.md is that of the program."""

import re

import pytest
import typer
from openintent.cli.app import app

from tests.sdk.cli.reference import PAGE, page

ROOT = typer.main.get_command(app)


def commands(group=ROOT, path=()):
    for name, command in getattr(group, "commands", {}).items():
        yield (*path, name), command
        yield from commands(command, (*path, name))


def test_cli_reference_is_current():
    assert PAGE.read_text() == page(), "python -m tests.sdk.cli.reference writes it anew"


@pytest.mark.parametrize(
    ("path", "command"), list(commands()), ids=lambda each: " ".join(each) if isinstance(each, tuple) else ""
)
def test_every_command_explains_itself_and_all_that_it_takes(openintent, path, command):
    run = openintent(*path, "--help")

    assert (run.code, run.err) == (0, "")
    assert command.help
    for parameter in command.params:
        assert parameter.help, parameter.name


def test_every_command_in_the_text_exists():
    names = {path[0] for path, _ in commands()}

    assert set(re.findall(r"^(?:\w+=\$\()?openintent (\w+)", PAGE.read_text(), re.MULTILINE)) <= names


def test_the_help_says_that_a_key_can_be_seen(openintent):
    assert "OPENINTENT_API_KEY" in openintent("--help").out
    assert "seen by others" in " ".join(openintent("--help").out.replace("│", "").split())

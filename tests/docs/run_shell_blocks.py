"""Shell blocks of the documents: each command is run against the live server, or is on a list with the reason.

Two things are replaced: the address http://localhost:8000 by that of the server, and `$INTENT_ID` by the id of what the page's Python
calls `intent`.
"""

import os
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from itertools import takewhile
from pathlib import Path

from openintent.cli.app import app
from typer.main import get_command

from tests.processes import ROOT, run

ADDRESS = "http://localhost:8000"
TIMEOUT = 30  # Seconds for a command.
ASSIGNMENT = re.compile(r"[A-Za-z_]+=\S*")
ASSIGNED_OUTPUT = re.compile(r"(export )?[A-Za-z_]+=\$\(")

RUN = {"cat", "cp", "curl", "echo", "export", "grep", "mkdir", "openintent", "openintent-manage", "printf", "python", "test"}
"""Commands that are run as they are."""

MANAGE = "openintent-manage "

NOT_RUN: dict[str, str] = {
    ".": "activates an environment; the test's own is active",
    "black": "is the specification's formatter; here make format runs ruff",
    "cd": "enters a folder that a command which is not run creates",
    "docker": "there is no container daemon where tests run; compose.yaml is reviewed by hand",
    "git": "there is no network; what follows the clone is checked",
    "make": "sets up, serves or tests everything; that the target exists is checked",
    "mypy": "checks the specification's folder openintent/; here make check runs it",
    "node": "runs what generators make (tests/clients)",
    "npm": "there is no network",
    "npx": "runs what npm has installed (tests/clients)",
    "openapi-generator-cli": "is a generator (tests/clients)",
    "openapi-python-client": "is a generator (tests/clients)",
    "manage.py": "makes tables and serves until it is stopped (tests/config/test_terminal.py)",
    "openintent-manage changepassword": "asks for a password",
    "openintent-manage createoperator": "asks for a password (tests/console/test_sign_in.py)",
    "openintent-manage migrate": "every server of the tests has done it",
    "openintent-manage signinlink": "needs an account (tests/console/test_sign_in_links.py)",
    "openintent-manage worker": "runs until it is stopped (tests/jobs); that the command exists is checked",
    "openintent-server": "serves until it is stopped (tests/config); that its options exist is checked",
    "pg_dump": "belongs to PostgreSQL",
    "pip": "there is no network; that the extras exist is checked",
    "pytest": "is the suite itself, or a part of it",
    "python -m venv": "the test makes its own environment",
    "ruff": "checks the specification's folder openintent/; here make check runs it",
    "rsync": "copies a deployment's files",
    "sqlite3": "is not everywhere where tests run",
}
"""Commands that are not run, and why."""


PAGES_NOT_RUN = {
    "architecture.md": "it has a diagram and no example",
    "hooks.md": "it changes the settings of editors (tests/sdk/cli/hooks); that each command parses is checked",
    "cli.md": "it names ids of the reader and prompts (tests/sdk/cli); that each command parses is checked",
    "deploy.md": "it is for PostgreSQL, Redis and containers that are not here",
    "style.md": "it shows the form of code",
    "other-languages.md": "its commands and programs are run by tests/clients",
}
"""Pages of which nothing is run, and why; their commands are checked all the same."""


class Unknown(Exception):
    """A command or block that is neither run nor on the list."""


def commands(code: str) -> list[str]:
    """Return the commands of a block, with continued lines joined and without comments."""
    joined = re.sub(r"\\\n\s*", " ", code)
    lines, open_quote = [], ""
    for line in joined.splitlines():
        open_quote += line
        try:
            words = shlex.split(open_quote, comments=True)
        except ValueError:  # A quotation goes on in the next line.
            open_quote += "\n"
            continue
        if words:
            lines.append(open_quote)
        open_quote = ""
    return lines


def reason_not_to_run(command: str) -> str | None:
    """Return why a command is not run, or None if it is. Raise Unknown if it is on no list."""
    words = _words(command)
    for length in (3, 2, 1):
        if reason := NOT_RUN.get(" ".join(words[:length])):
            return reason
    if not words or words[0] in RUN:
        return None
    raise Unknown(f"{command!r}: {words[0]} is neither in RUN nor in NOT_RUN of {Path(__file__).relative_to(ROOT)}")


def _words(command: str) -> list[str]:
    """Return the words of the command itself, without assignments before it and pipes after it."""
    if assigned := ASSIGNED_OUTPUT.match(command):
        command = command[assigned.end() :].rstrip(")")
    words = list(takewhile(lambda word: word not in {"|", "||", "&&"}, shlex.split(command, comments=True)))
    while words and ASSIGNMENT.fullmatch(words[0]):
        words.pop(0)
    return [words[0].rpartition("/")[2], *words[1:]] if words else []


def run_block(code: str, url: str, folder: Path, variables: Mapping[str, str]) -> str:
    """Run the block's commands in one shell, except those on the list, and return their output.

    `variables` are added to the environment; DATABASE_URL is that of the server, for commands that use its database.
    """
    check(code)
    script = [command for command in commands(code) if reason_not_to_run(command) is None]
    environment = {**os.environ, "OPENINTENT_URL": url, "NO_COLOR": "1", **variables}
    environment["PATH"] = f"{Path(sys.executable).parent}:{environment['PATH']}"
    if all(command.startswith(MANAGE) for command in script):
        return "".join(_run_manage(_words(command)[1:], environment) for command in script)
    text = "set -euo pipefail\n" + "\n".join(map(_bounded, script)).replace(ADDRESS, url)
    done = subprocess.run(
        ["bash", "-c", text], cwd=folder, env=environment, capture_output=True, text=True, timeout=TIMEOUT, check=False
    )
    assert done.returncode == 0, f"{text}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def _run_manage(arguments: list[str], environment: Mapping[str, str]) -> str:
    """Run a management command in a forked process, since importing Django takes seconds."""
    done = run("config.manage", arguments, environment)
    assert done.returncode == 0, done.stderr
    return done.stdout


def _bounded(command: str) -> str:
    """Return the command with an end: `curl -N` stops after the first event of a stream; other calls must succeed."""
    words = _words(command)
    if words[:1] != ["curl"]:
        return command
    if "-N" in words:
        return f"{{ {command} || true; }} | grep --max-count 1 '^data:'"
    return command.replace("curl ", "curl --silent --show-error --fail-with-body ", 1)


def check(code: str) -> None:
    """Check the commands of a block as far as possible without running them."""
    for command in commands(code):
        words = _words(command)
        for name, check in CHECKS.items():
            if words[: len(name.split())] == name.split():
                check(words)


def _extras_exist(words: list[str]) -> None:
    known = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    for wanted in re.findall(r"(?:openintent\S*|\.|whl)\[([\w,-]+)\]", " ".join(words)):  # Of this project.
        assert set(wanted.split(",")) <= set(known), f"{words}: {wanted}"


def _targets_exist(words: list[str]) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(_targets(words[1:])) <= targets, words


def _targets(words: list[str]) -> Iterator[str]:
    return (word for word in words if re.fullmatch(r"[a-z-]+", word))


def _options_exist(words: list[str]) -> None:
    options = {word.partition("=")[0] for word in words if word.startswith("--")}
    assert options <= set(re.findall(r"--[a-z-]+", _help(words[0]))), words


def _parses(words: list[str]) -> None:
    """Check the arguments with the program's own parser, without running it."""
    command, context, arguments = get_command(app), None, words[1:]
    while hasattr(command, "resolve_command"):
        context = command.make_context(command.name, arguments, parent=context)
        if not (rest := [*context._protected_args, *context.args]):
            return
        _, command, arguments = command.resolve_command(context, rest)
    command.make_context(command.name, arguments, parent=context)


@cache
def _help(command: str) -> str:
    module = {"openintent-server": "config.server"}[command]
    return run(module, ["--help"], {**os.environ}).stdout


CHECKS: dict[str, Callable[[list[str]], None]] = {
    "openintent": _parses,
    "pip install": _extras_exist,
    "make": _targets_exist,
    "openintent-server": _options_exist,
}

"""Runs of the command line: arguments in, text and an exit code out."""

import json
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from openintent import OpenIntentClient
from openintent.cli.app import app
from typer.testing import CliRunner


@dataclass
class Run:
    """The exit code and output of a run."""

    code: int
    out: str
    err: str

    @property
    def json(self):
        return json.loads(self.out)


def run_at(url, *arguments, key="dev-user-key", agent="boss", input=None):
    """Run the program against the server at that address, without a terminal."""
    environment = {"OPENINTENT_URL": url or None, "OPENINTENT_API_KEY": key, "OPENINTENT_AGENT_ID": agent, "NO_COLOR": None}
    result = CliRunner(env=environment).invoke(app, [str(each) for each in arguments], input=input, catch_exceptions=False)
    return Run(result.exit_code, result.stdout, result.stderr)


@pytest.fixture
def openintent(server) -> Callable[..., Run]:
    """`openintent("show", id)`, against the live server."""
    return lambda *arguments, **how: run_at(server.url, *arguments, **how)


@pytest.fixture
def client(server):
    with OpenIntentClient(server.url, "dev-user-key", "ada") as client:
        yield client


@pytest.fixture
def intent(client):
    return client.create_intent("Book flights", "To Paris", state={"legs": []}, assign="ada")

"""Examples as their readers run them: by a Python of their own, against a local server, without a key of any provider."""

import os
import subprocess
import sys
from collections.abc import Callable

import pytest
from openintent import OpenIntentClient

from tests.processes import ROOT

PATIENCE = 60
PROVIDERS = ("OPENAI_API_KEY", "OPENAI_BASE_URL", "ANTHROPIC_API_KEY", "GEMINI_API_KEY", "GOOGLE_API_KEY")


@pytest.fixture
def run(server) -> Callable[[str], str]:
    """Runs an example. Answers what it printed; it must end well and warn of nothing."""

    def run(name: str) -> str:
        environment = {name: value for name, value in os.environ.items() if name not in (*PROVIDERS, "DATABASE_URL")}
        done = subprocess.run(
            [
                sys.executable,
                "-W",
                "error",
                "-W",
                "ignore::ResourceWarning",
                f"examples/{name}",
            ],  # Adapters send until the very end.
            cwd=ROOT,
            env={**environment, "OPENINTENT_URL": server.url},
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout

    return run


@pytest.fixture
def client(server):
    """To look at the server with."""
    with OpenIntentClient(server.url, "dev-user-key") as client:
        yield client


def kinds(client: OpenIntentClient, intent) -> list[str]:
    return [str(event.event_type) for event in client.get_events(intent.id)]

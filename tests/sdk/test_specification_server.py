"""The specification's way to serve from Python."""

import pytest
import requests

from tests.databases import migrated_database
from tests.servers import Started

from .specification_examples import example

pytestmark = [pytest.mark.full, pytest.mark.database("sqlite")]


KEYS = {"my-secret-key": 200, "agent-key": 200, "dev-user-key": 401}


def test_programmatic_usage(tmp_path):
    """On a free port and a database of its own; those of the specification may be taken."""
    code = example("Quick Start: Run Your Own Server")
    for said, here in {"port=8000": "port=0", "sqlite:///./my-intents.db": migrated_database("sqlite", tmp_path)}.items():
        assert said in code
        code = code.replace(said, here)

    server = Started("unused", OPENINTENT_DEV_MODE="").start("-c", code)
    try:
        answers = {key: requests.get(f"{server.api}/intents", headers={"X-API-Key": key}, timeout=30) for key in KEYS}
    finally:
        server.stop()

    assert {key: answer.status_code for key, answer in answers.items()} == KEYS

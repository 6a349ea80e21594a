"""Connection settings of agents and the command line, from the environment."""

import pytest
from openintent._environment import connection_arguments

LOCAL = {"base_url": "http://localhost:8000", "api_key": "dev-user-key", "agent_id": None}


@pytest.fixture(autouse=True)
def bare(monkeypatch):
    for name in ("URL", "API_KEY", "AGENT_ID"):
        monkeypatch.delenv(f"OPENINTENT_{name}", raising=False)


def test_default_is_the_local_server_in_dev_mode():
    assert connection_arguments() == LOCAL


def test_arguments_come_from_the_environment(monkeypatch):
    monkeypatch.setenv("OPENINTENT_URL", "https://intents.example.com")
    monkeypatch.setenv("OPENINTENT_API_KEY", "secret")
    monkeypatch.setenv("OPENINTENT_AGENT_ID", "ada")

    assert connection_arguments() == {"base_url": "https://intents.example.com", "api_key": "secret", "agent_id": "ada"}


def test_arguments_come_first(monkeypatch):
    monkeypatch.setenv("OPENINTENT_URL", "https://intents.example.com")
    monkeypatch.setenv("OPENINTENT_API_KEY", "secret")

    assert connection_arguments("http://localhost:9000", "mine", "bob") == {
        "base_url": "http://localhost:9000",
        "api_key": "mine",
        "agent_id": "bob",
    }


def test_empty_variables_are_ignored(monkeypatch):
    monkeypatch.setenv("OPENINTENT_URL", "")
    monkeypatch.setenv("OPENINTENT_API_KEY", "")

    assert connection_arguments() == LOCAL


@pytest.mark.parametrize("url", ["https://intents.example.com", "http://10.0.0.1:8000", "http://localhost.example.com"])
def test_the_key_of_dev_mode_is_sent_to_this_machine_only(url):
    assert connection_arguments(url)["api_key"] is None

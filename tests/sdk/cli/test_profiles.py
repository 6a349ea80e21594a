"""Profiles: stored for their owner alone, and never sent to another server."""

import json
import os
import stat
import subprocess

import pytest
from openintent.cli.profiles import profiles_path

from tests.sdk.cli.conftest import run_at
from tests.sdk.cli.terminal import COMMAND, Terminal

pytestmark = [pytest.mark.database("sqlite"), pytest.mark.case("console M21")]


@pytest.fixture(autouse=True)
def config(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    for name in ("OPENINTENT_URL", "OPENINTENT_API_KEY", "OPENINTENT_AGENT_ID", "OPENINTENT_PROFILE"):
        monkeypatch.delenv(name, raising=False)


def run(*arguments, **how):
    return run_at(None, *arguments, **{"key": None, "agent": None, **how})


@pytest.fixture
def logged_in(script):
    """A profile `work` on a scripted server."""
    script.respond({"intents": [], "next": None})
    assert run("--url", script.url, "--agent", "ada", "login", "work", input="secret-1\n").code == 0
    script.seen.clear()
    return script


def test_login_stores_the_key_for_its_owner_alone(server):
    ended = run("--url", server.url, "login", input="dev-user-key\n")

    assert ended.code == 0
    assert "dev-user-key" not in ended.out + ended.err
    path = profiles_path()
    assert [stat.S_IMODE(os.stat(each).st_mode) for each in (path, path.parent)] == [0o600, 0o700]
    assert run("intents").code == 0
    assert run("ping", "--json").json["url"] == server.url


def test_login_replaces_a_file_that_others_could_read(logged_in):
    profiles_path().chmod(0o644)
    logged_in.respond({"intents": [], "next": None})

    run("--url", logged_in.url, "login", "other", input="secret-2\n")

    assert stat.S_IMODE(profiles_path().stat().st_mode) == 0o600
    assert set(json.loads(profiles_path().read_text())["profiles"]) == {"work", "other"}
    assert [each.name for each in profiles_path().parent.iterdir()] == ["profiles.json"]


def test_a_refused_key_is_not_stored(server):
    ended = run("--url", server.url, "login", input="wrong-key\n")

    assert (ended.code, profiles_path().exists()) == (1, False)
    assert "wrong-key" not in ended.out + ended.err


def test_the_profile_has_url_key_and_agent(logged_in):
    logged_in.respond({"intents": [], "next": None}, {"intents": [], "next": None})

    assert [run("intents").code, run("--profile", "work", "intents").code] == [0, 0]

    sent = [(each.headers["X-Api-Key"], each.headers["X-Agent-Id"]) for each in logged_in.seen]
    assert sent == [("secret-1", "ada")] * 2


def test_the_environment_goes_first(logged_in, monkeypatch):
    logged_in.respond({"intents": [], "next": None})
    monkeypatch.setenv("OPENINTENT_API_KEY", "from-the-environment")

    subprocess.run([*COMMAND, "intents"], check=True)

    [request] = logged_in.seen
    assert request.headers["X-Api-Key"] == "from-the-environment"
    assert "X-Agent-Id" not in request.headers, "the profile's agent belongs to its key"


def test_the_key_is_never_sent_to_another_server(logged_in):
    port = logged_in.url.rpartition(":")[2]
    logged_in.respond({"intents": [], "next": None})

    ended = run("--url", f"http://127.0.0.1:{port}/", "--profile", "work", "intents", key="mine") if "localhost" in logged_in.url else run(
        "--url", f"http://localhost:{port}/", "--profile", "work", "intents", key="mine"
    )  # fmt: skip

    assert "secret-1" not in str(logged_in.seen)
    assert "is not used" in ended.err


def test_openintent_profile_selects(logged_in, monkeypatch):
    logged_in.respond({"intents": [], "next": None}, {"intents": [], "next": None})
    run("--url", logged_in.url, "login", "other", input="secret-2\n")
    logged_in.seen.clear()
    monkeypatch.setenv("OPENINTENT_PROFILE", "work")

    assert run("intents").code == 0

    assert logged_in.seen[0].headers["X-Api-Key"] == "secret-1"


def test_profiles_are_listed_chosen_and_forgotten(logged_in):
    logged_in.respond({"intents": [], "next": None})
    run("--url", logged_in.url, "login", "other", input="secret-2\n")

    assert [each["name"] for each in run("profiles", "--json").json["profiles"] if each["default"]] == ["other"]
    assert run("profiles", "use", "work").code == 0
    assert [each["name"] for each in run("profiles", "--json").json["profiles"] if each["default"]] == ["work"]
    assert run("logout").code == 0
    assert [each["name"] for each in run("profiles", "--json").json["profiles"]] == ["other"]
    assert "secret" not in run("profiles").out


@pytest.mark.parametrize(
    "arguments", [("--profile", "absent", "intents"), ("profiles", "use", "absent"), ("logout", "absent"), ("logout",)]
)
def test_an_unknown_profile_is_wrong_usage(arguments):
    assert run(*arguments).code == 2


def test_a_damaged_file_is_reported(logged_in):
    profiles_path().write_text("{")

    ended = run("intents")

    assert ended.code == 2
    assert str(profiles_path()) in ended.err


@pytest.mark.full
def test_login_prompts_on_a_terminal_and_hides_the_key(server, tmp_path):
    with Terminal("login", XDG_CONFIG_HOME=str(tmp_path)) as terminal:
        terminal.until("URL of the server").type(f"{server.url}\n")
        terminal.until("API key").without_echo().type("dev-user-key\n")
        terminal.until("Stored the key")
        assert terminal.ended() == 0

    assert "dev-user-key" not in terminal.text

"""Keys, the server, and errors on the command line."""

import subprocess
import sys

import pytest
from openintent import OpenIntentClient
from openintent.cli.errors import _HINTS
from openintent.cli.json_output import dumps

from core.errors import ProtocolError
from tests.sdk.cli.conftest import run_at
from tests.sdk.cli.terminal import COMMAND

pytestmark = pytest.mark.database("sqlite")


SECRET = "oi_not_a_key_of_anybody_0123456789"


def test_new_key_works_and_its_secret_is_printed_once(openintent, server):
    made = openintent("keys", "create", "ci", "--role", "operator", "--bind", "ci-robot", "--expires", "30d")
    secret = made.out.strip()

    with OpenIntentClient(server.url, secret) as client:
        assert client.create_intent("By its key").created_by == "ci-robot"
    assert secret not in made.err
    listed = openintent("keys", "-n", 1000, key=secret, agent=None)
    assert listed.code == 0
    [line] = [line for line in listed.out.splitlines() if "ci-robot" in line]
    assert "29 d 23 h left" in line
    for run in (listed, openintent("keys", "-n", 1000, "--json")):
        assert secret not in run.out + run.err


def test_key_is_revoked(openintent, client):
    key = client.create_key("to be ended")

    assert openintent("keys", "revoke", key.id[-12:]).code == 0
    assert [each.revoked_at is None for each in client.list_keys() if each.id == key.id] == [False]


def test_keys_need_an_operator(openintent):
    run = openintent("keys", key="agent-research-key")

    assert run.code == 1
    assert "--role" in run.err


def test_ping_reports_a_ready_server(openintent, server):
    found = openintent("ping", "--json")

    assert found.code == 0
    assert found.json.items() >= {"url": server.url, "ready": True, "key": "accepted"}.items()
    assert "accepted" in openintent("ping").out


def test_wrong_key_is_reported_and_not_shown(openintent):
    ping, listed = openintent("ping", key=SECRET), openintent("intents", key=SECRET)

    assert (ping.code, listed.code) == (1, 1)
    assert "refused" in ping.out
    assert "OPENINTENT_API_KEY" in listed.err
    for run in (ping, listed):
        assert SECRET not in run.out + run.err


def test_ping_fails_if_the_server_is_not_ready(script):
    about = {"server": {"name": "openintent", "version": "1"}, "version": "1"}
    script.respond(
        about, about, *[(503, {"status": "unavailable", "checks": {"database": "unreachable"}}, {"Retry-After": "0"})] * 3
    )
    script.respond({"intents": [], "next": None})

    run = run_at(script.url, "ping")

    assert run.code == 3
    assert "database: unreachable" in run.out


def test_unreachable_server_prints_two_lines():
    run = run_at("http://127.0.0.1:1", "intents", key=SECRET)

    assert (run.code, run.out) == (3, "")
    assert len(run.err.splitlines()) == 2
    assert "openintent-server" in run.err
    assert SECRET not in run.err


def test_foreign_server_is_unreachable_and_not_a_refusal(script):
    script.respond((404, "<h1>Not here</h1>", {"Content-Type": "text/html"}))

    assert run_at(script.url, "intents").code == 3


@pytest.mark.parametrize(
    "arguments",
    [
        ("--url", "ftp://example.com", "intents"), ("intents", "--limit", "0"), ("intents", "--status", "nonsense"),
        ("create", ""), ("create", "x", "--state", "no-sign"), ("unknown",),
    ],
)  # fmt: skip
def test_usage_error_has_its_code_and_no_traceback(openintent, arguments):
    run = openintent(*arguments)

    assert run.code == 2
    assert run.out == ""
    assert "Traceback" not in run.err


def test_validation_error_lists_each_field(openintent, client, intent):
    run = openintent("patch", intent.id, "/nothing/-=1", "--remove", "absent")

    assert run.code == 1
    assert "[invalid_patch]" in run.err


def test_hints_are_for_existing_error_codes():
    assert _HINTS.keys() <= ProtocolError.catalogue.keys()


def test_control_characters_are_escaped(openintent, client):
    title = "[red]x[/red] \x1b[31m \x9b31m \u202e :smile: \\ ü"
    intent = client.create_intent(title, title, state={title: title})
    client.request_arbitration(intent.id, title)
    client.acquire_lease(intent.id, "x\u202e")

    for arguments in (("show", intent.id), ("show", intent.id, "--json"), ("tail", intent.id), ("tail", intent.id, "--payload"),
                      ("tail", intent.id, "--json"), ("intents", "--text", ":smile:"), ("arbitrate", "--intent", intent.id),
                      ("arbitrate", "show", intent.id), ("leases", "--intent", intent.id)):  # fmt: skip
        run = openintent(*arguments)

        assert run.code == 0
        assert not set("\x1b\x9b\u202e") & set(run.out), arguments
    assert r"[red]x[/red] \x1b[31m \x9b31m \u202e :smile: \ ü" in openintent("show", intent.id).out
    assert openintent("show", intent.id, "--json").json["intent"]["title"] == title


def test_json_lines_are_single_lines():
    assert dumps({"text": "a\nb"}, indent=None) == '{"text": "a\\nb"}'


def test_missing_extra_prints_what_to_install():
    program = (
        "import sys; sys.path.insert(0, 'sdk'); sys.modules['typer'] = None; sys.modules['rich'] = None\n"
        "from openintent.cli import main; main()"
    )

    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)

    assert (run.returncode, run.stdout) == (1, "")
    assert run.stderr == "The command line needs more packages: pip install 'rich>=15,<16' 'typer>=0.26,<1'\n"


def test_internal_error_prints_no_traceback(server):
    program = "import openintent.cli.app as a; a.Session.__init__ = lambda *_: 1 / 0; a.run()"

    run = subprocess.run([COMMAND[0], "-c", program, "intents"], capture_output=True, text=True)

    assert run.returncode == 70
    assert "ZeroDivisionError" in run.stderr
    assert "Traceback" not in run.stderr

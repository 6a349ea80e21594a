"""Tables of the documents, compared with the code: methods, RFCs, settings, event types, errors."""

import ast
import inspect
import re
from pathlib import Path

import openintent
import pytest
from openintent import AsyncOpenIntentClient, EventType, OpenIntentClient
from openintent.enums import SERVER_WRITTEN

from tests.processes import ROOT
from tests.rules import RULES

CLIENTS = (OpenIntentClient, AsyncOpenIntentClient)

SPECIFIED = re.findall(
    r"\w+",
    """
    create_intent get_intent list_intents update_state set_status log_event get_events acquire_lease release_lease renew_lease get_leases lease
    request_arbitration record_decision add_attachment get_attachments delete_attachment subscribe get_subscriptions unsubscribe record_cost
    get_costs get_cost_summary set_retry_policy get_retry_policy record_failure get_failures assign_agent discover create_portfolio
    get_portfolio add_intent_to_portfolio
    """,
)
"""Methods of the specification's table."""


def methods():
    """Return each method of the reference's table with its RFC."""
    rows = [line.split("|") for line in (ROOT / "docs/reference/index.md").read_text().splitlines() if "()`" in line]
    return {name: rfc.strip() for _, names, rfc, *_ in rows for name in re.findall(r"`(\w+)\(\)`", names)}


def public(client):
    return {name for name in dir(client) if not name.startswith("_") and callable(getattr(client, name))}


@pytest.mark.parametrize("client", CLIENTS)
def test_method_table_has_exactly_the_methods_of_the_client(client):
    assert set(methods()) == public(client) - {"send"}  # Which takes a Call, for code that makes its own.


def test_method_table_has_every_specified_method():
    assert set(SPECIFIED) <= set(methods())


@pytest.mark.parametrize("name", methods())
def test_method_has_the_same_arguments_on_both_clients(name):
    ours, theirs = (getattr(client, name) for client in CLIENTS)

    assert inspect.signature(ours).parameters.keys() == inspect.signature(theirs).parameters.keys()
    assert _described(ours) == _described(theirs)
    assert (inspect.getdoc(ours) or "").strip()


def _described(method):
    """Return the arguments with defaults and types; only the result may differ, which one client awaits."""
    return [(each.name, each.kind, each.default, str(each.annotation)) for each in inspect.signature(method).parameters.values()]


def test_every_setting_is_in_the_reference():
    page = (ROOT / "docs/reference/settings.md").read_text()
    table = "\n".join(line for line in page.splitlines() if line.startswith("|"))
    documented = set(re.findall(r"`…?([A-Z_][A-Z0-9_]+)`", table))

    assert {name for name in documented if not name.startswith("_")} == _read()
    assert {name for name in documented if name.startswith("_")} == {
        "_ENDPOINT",
        "_REGION",
        "_ACCESS_KEY",
        "_SECRET_KEY",
    }  # Read after their prefix.


def _read():
    """Return the environment variables that the server's code reads."""
    found = set()
    for path in (*(ROOT / "config").rglob("*.py"), *(ROOT / "core").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found |= set(
                    re.findall(r"\b(?:OPENINTENT_[A-Z0-9_]*[A-Z0-9]|DATABASE_URL|FORWARDED_ALLOW_IPS|REDIS_URL)\b", node.value)
                )
    return found - {"OPENINTENT_URL"}


def event_rows(path: Path) -> dict[str, tuple[set[str], set[str]]]:
    """Return each event type of the table with the members that its payload always has, and those that it may have."""
    rows = re.findall(r"^\| `(\w+)` \| .* \| (.*) \|$", path.read_text(), re.MULTILINE)
    return {
        kind: (set(re.findall(r"(?<!\()`(\w+)`", members)), set(re.findall(r"\(`(\w+)`\)", members))) for kind, members in rows
    }


EVENTS = event_rows(ROOT / "docs/reference/events.md")


def test_every_event_type_is_documented():
    assert set(EVENTS) == set(EventType)


def test_payloads_have_the_documented_members(server):
    """Check all events that other tests have written to the server so far, too."""
    with OpenIntentClient(server.url, "dev-user-key", "ada") as client:
        _write_events(client)
        events = client.list_events()

    written = [event for event in events if event.event_type in SERVER_WRITTEN]
    assert len({event.event_type for event in written}) >= 8
    for event in written:
        always, sometimes = EVENTS[event.event_type]
        assert always <= set(event.payload) - {"gate"} <= always | sometimes, (event.event_type, event.payload)


def _write_events(client):
    first = client.create_intent("First", assign="ada")
    second = client.create_intent("Second", depends_on=first.id)
    client.update_intent(first.id, first.version, title="The first")
    with client.lease(first.id, "a"):
        client.update_state(first.id, 2, {"a": 1})
    client.record_cost(first.id, "api_call", 1)
    client.withdraw_arbitration(client.request_arbitration(first.id, "Which?").id)
    client.set_status(first.id, 3, "completed")
    client.unassign_agent(first.id, "ada")
    client.set_status(second.id, client.get_intent(second.id).version, "completed")


def test_every_rule_is_documented():
    documented = set(re.findall(r'<a id="[a-z]-\d+"></a>\*\*([A-Z]-\d+)\*\*', (ROOT / "docs/reference/protocol.md").read_text()))

    assert {f"{part}-{number}" for part, numbers in RULES.items() for number in numbers} <= documented


def test_common_exceptions_have_the_documented_status():
    table = (ROOT / "docs/reference/errors.md").read_text().partition("## Common exceptions")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| `(\w+)` \| (\d+) \|", table, re.MULTILINE)

    assert len(rows) == 7
    for name, status in rows:
        problem = {"code": "lease_conflict"} if name == "LeaseConflictError" else {}
        assert type(openintent.errors.error_from_problem(int(status), problem, None)) is getattr(openintent, name)


def test_loggers_of_the_operations_guide_exist():
    guide = (ROOT / "docs/deploy.md").read_text()
    documented = set(re.findall(r"`(openintent\.[a-z]+)`", guide))
    used = {
        name
        for path in ROOT.rglob("*.py")
        if path.relative_to(ROOT).parts[0] not in {".venv", "tests"}
        for name in re.findall(r'getLogger\("(openintent\.[a-z]+)"\)', path.read_text())
    }

    assert documented
    assert documented <= used

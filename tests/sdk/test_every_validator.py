"""Every method that writes refuses bad input before it is sent, and what it refuses the server would refuse (protocol K-3)."""

import inspect
import re
from pathlib import Path

import openintent.resources
import openintent.validation
import pytest
from openintent import InputValidationError

from .samples import INTENT

pytestmark = pytest.mark.rule("K-3")

ID = INTENT["id"]
LONG = "x" * 10_001

REFUSED = [
    (lambda c: c.create_intent(title=""), "title"),
    (lambda c: c.create_intent("a", constraints="all"), "constraints"),
    (lambda c: c.update_intent(ID, 1, confidence=101), "confidence"),
    (lambda c: c.update_state(ID, 1, {}), "state"),
    (lambda c: c.set_status(ID, 1, "done"), "status"),
    (lambda c: c.set_status(ID, 1, "active", reason=LONG), "reason"),
    (lambda c: c.create_child_intent(ID, ""), "title"),
    (lambda c: c.create_intents([]), "intents"),
    (lambda c: c.create_intents([{"title": "a"}, {"title": ""}]), "intents[1].title"),
    (lambda c: c.create_intents([{"title": "a", "ref": "x"}] * 2), "intents[1].ref"),
    (lambda c: c.create_intents([{"title": "a", "depends_on": "x"}]), "intents[0].depends_on"),
    (lambda c: c.create_intents([{"title": "a"}], portfolio={"name": ""}), "name"),
    (lambda c: c.log_event(ID, "Comment"), "event_type"),
    (lambda c: c.log_events(ID, [{}]), "events[0].event_type"),
    (lambda c: c.log_llm_request_started(ID, request_id="\0", provider="a", model="b"), "payload.request_id"),
    (lambda c: c.assign_agent(ID, "system"), "agent_id"),
    (lambda c: c.assign_agent(ID, "ada", role=""), "role"),
    (lambda c: c.unassign_agent(ID, ""), "agent_id"),
    (lambda c: c.acquire_lease(ID, "a..b"), "scope"),
    (lambda c: c.renew_lease(ID, ID, 0), "duration_seconds"),
    (lambda c: c.revoke_lease(ID, ID, "x" * 2_001), "reason"),
    (lambda c: c.request_arbitration(ID, ""), "reason"),
    (lambda c: c.withdraw_arbitration(ID, LONG), "reason"),
    (lambda c: c.record_decision(ID, ""), "decision"),
    (lambda c: c.record_decision(ID, "a", decision_type=" "), "decision_type"),
    (lambda c: c.record_decision(ID, "a", evidence=[{"source": "b"}, {}]), "evidence[1].source"),
    (lambda c: c.record_decision(ID, "a", evidence="b"), "evidence"),
    (lambda c: c.record_decision(ID, "a", evidence=[{"source": "b", "summary": 3}]), "evidence[0].summary"),
    (lambda c: c.request_arbitration(ID, "a", action={"target": "b"}), "action.verb"),
    (lambda c: c.request_arbitration(ID, "a", action={"verb": "a", "target": "b", "params": []}), "action.params"),
    (lambda c: c.request_arbitration(ID, "a", permit_seconds=0), "permit_seconds"),
    (lambda c: c.request_arbitration(ID, "a", quorum=101), "quorum"),
    (lambda c: c.spend_permit(ID, {"verb": "a"}), "action.target"),
    (lambda c: c.record_outcome(ID, "done"), "outcome"),
    (lambda c: c.set_gate(" "), "verb"),
    (lambda c: c.revoke_permit(ID, "x" * 2_001), "reason"),
    (lambda c: c.create_delegation(""), "delegate"),
    (lambda c: c.create_delegation("ada", actions="decide"), "actions"),
    (lambda c: c.create_delegation("ada", actions=["decide", ""]), "actions[1]"),
    (lambda c: c.create_delegation("ada", constraints=[]), "constraints"),
    (lambda c: c.assign_arbitration(ID, "group:billing"), "assignee"),
    (lambda c: c.request_information(ID, ""), "question"),
    (lambda c: c.provide_information(ID, "x" * 10_001), "answer"),
    (lambda c: c.add_attachment(ID, "a\n.txt", content=b""), "filename"),
    (lambda c: c.add_attachment(ID, "a", content=b"", sha256="abc"), "sha256"),
    (lambda c: c.add_attachment(ID, "a", content=b"", metadata=[]), "metadata"),
    (lambda c: c.subscribe(ID, callback_url="ftp://a"), "callback_url"),
    (lambda c: c.create_subscription(event_types=["A"]), "event_types[0]"),
    (lambda c: c.update_subscription(ID, status="gone"), "status"),
    (lambda c: c.create_channel("", "email", "a@b.example"), "name"),
    (lambda c: c.create_channel("a", "pager", "a@b.example"), "kind"),
    (lambda c: c.create_channel("a", "email", []), "target"),
    (lambda c: c.create_channel("a", "email", ["a@b.example", ""]), "target[1]"),
    (lambda c: c.create_channel("a", "email", "a@b.example", urgencies=["urgent"]), "urgencies[0]"),
    (lambda c: c.update_channel(ID, quiet_hours="night"), "quiet_hours"),
    (lambda c: c.update_channel(ID, status="paused"), "status"),
    (lambda c: c.record_cost(ID, "a", -1), "amount"),
    (lambda c: c.record_cost(ID, "a", 1, provider=""), "provider"),
    (lambda c: c.record_cost(ID, "a", 1, model="x" * 256), "model"),
    (lambda c: c.record_cost(ID, "a", 1, metadata="gpt-4"), "metadata"),
    (lambda c: c.record_cost(ID, "a", 1, agent_id=""), "agent_id"),
    (lambda c: c.set_retry_policy(ID, strategy="hope"), "strategy"),
    (lambda c: c.record_failure(ID, ""), "error_type"),
    (lambda c: c.create_portfolio(""), "name"),
    (lambda c: c.update_portfolio(ID, metadata=[]), "metadata"),
    (lambda c: c.update_portfolio_status(ID, "done"), "status"),
    (lambda c: c.add_intent_to_portfolio(ID, ID, role=""), "role"),
    (lambda c: c.add_intent_to_portfolio(ID, ID, priority=2**31), "priority"),
    (lambda c: c.create_stream_token(agent_id="user:grace"), "agent_id"),
    (lambda c: c.create_key(""), "name"),
    (lambda c: c.create_key("ci", role="admin"), "role"),
]


@pytest.mark.parametrize(("act", "field"), REFUSED)
def test_bad_input_is_refused_before_it_is_sent(client, script, act, field):
    with pytest.raises(InputValidationError) as caught:
        act(client)

    assert caught.value.field == field
    assert script.seen == []


def test_every_validator_is_exported_and_called_by_a_client():
    """Those of headers, numbers and JSON check every call (`Call`, `ClientBase`)."""
    exported = {name for name in openintent.validation.__all__ if name.startswith("validate_")}
    defined = {
        name
        for module in vars(openintent.validation).values()
        if inspect.ismodule(module)
        for name in vars(module)
        if name.startswith("validate_")
    }
    folder = Path(openintent.resources.__file__).parents[1]
    called = {name for path in folder.rglob("*.py") for name in re.findall(r"\b(validate_\w+)\(", path.read_text())}

    assert defined <= exported
    assert exported <= called


def test_every_method_that_sends_a_body_is_tried_here():
    methods = inspect.getmembers(openintent.resources.Resources, inspect.isfunction)
    sending = {name for name, method in methods if "json=" in inspect.getsource(method)}
    tried = set(re.findall(r"c: c\.(\w+)\(", Path(__file__).read_text()))

    assert sending - tried == {"add_dependency", "remind_arbitration"}  # They send ids alone, or nothing.

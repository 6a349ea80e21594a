"""One request for each operation of the API that works for whoever may do it, and the objects that it is about."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import orjson
from django.apps import apps
from django.utils import timezone

from intents import positions
from intents.models import Event
from subscriptions.models import Delivery
from tests.conftest import Caller
from tests.exact_openapi import exact_description

HOLDER = "holder"
"""The agent that holds the lease, asks the question and owns the subscription. Unbound callers act as this agent."""

BODIES: dict[str, Any] = {
    "create_channel": {"name": "Team", "kind": "email", "target": "team@example.com"},
    "update_channel": {"name": "Everybody"},
    "create_intent": {"title": "Do it"},
    "create_intents": {"intents": [{"title": "A part", "parent": "{intent_id}"}], "portfolio": {"name": "Launch"}},
    "create_child_intent": {"title": "A part"},
    "update_intent": {"title": "New"},
    "update_state": {"state": {"a": 1}},
    "set_status": {"status": "active"},
    "add_dependency": {"depends_on": "{other}"},
    "assign_agent": {"agent_id": "eve"},
    "log_event": {"event_type": "comment"},
    "log_events": {"events": [{"event_type": "comment"}]},
    "acquire_lease": {"scope": "free"},
    "join_lease_queue": {"scope": "free"},
    "renew_lease": {"duration_seconds": 600},
    "revoke_lease": {"reason": "Stuck"},
    "record_cost": {"cost_type": "api_call", "amount": 1},
    "create_key": {"name": "nightly", "role": "agent"},
    "set_retry_policy": {"max_attempts": 3},
    "record_failure": {"error_type": "timeout"},
    "request_arbitration": {"reason": "May I?"},
    "withdraw_arbitration": {},
    "assign_arbitration": {"assignee": None},
    "request_information": {"question": "Which?"},
    "provide_information": {"answer": "All of them."},
    "record_decision": {"decision": "yes", "arbitration_id": "{arbitration_id}"},
    "create_delegation": {"delegate": "eve"},
    "set_gate": {"verb": "set_status"},
    "spend_permit": {"action": {"verb": "deploy", "target": "shop"}},
    "record_outcome": {"outcome": "succeeded"},
    "revoke_permit": {},
    "create_portfolio": {"name": "Launch"},
    "update_portfolio": {"description": "New"},
    "update_portfolio_status": {"status": "abandoned"},
    "add_intent_to_portfolio": {"intent_id": "{other}"},
    "subscribe": {},
    "create_subscription": {},
    "update_subscription": {"event_types": ["comment"]},
    "add_attachment": {"filename": "a.txt", "content_base64": "eA=="},
}


_OTHERS = {
    "remove_dependency": lambda world: {"intent_id": world["dependent"]},
    "remove_intent_from_portfolio": lambda world: {"intent_id": world["member"]},
    "record_outcome": lambda world: {"permit_id": world["spent_permit_id"]},
    "provide_information": lambda world: {"arbitration_id": world["sent_back_id"]},
}
"""What stands in the path of these for another object than elsewhere."""


@dataclass(frozen=True)
class Operation:
    id: str
    method: str
    path: str
    needs_key: bool
    body_fields: dict[str, Any]

    def ids(self, world: dict[str, str]) -> dict[str, str]:
        """Return the values for the placeholders of the operation's path."""
        return {**world, **_OTHERS.get(self.id, lambda world: {})(world)}

    def send(self, caller: Caller, world: dict[str, str], *, headers: dict[str, str] | None = None, **fields: Any) -> Any:
        """Send the operation's request, with these headers and body fields besides."""
        body = BODIES.get(self.id)
        filled = orjson.loads(_filled(orjson.dumps(body).decode(), world)) if body is not None else None
        if fields:
            filled = {**(filled or {}), **fields}
        path = _filled(self.path, self.ids(world)).removeprefix("/api/v1")
        version = {} if self.method == "GET" else {"if_match": "2" if path.startswith("/portfolios/") else "1"}
        response = caller.send(self.method, path, filled, **version, **(headers or {}))
        if response.streaming:
            b"".join(response.streaming_content)  # At its end Django's client closes what is sent.
        return response


@cache
def operations() -> dict[str, Operation]:
    """Those of the API, by their ids."""
    described = exact_description()
    found = [_operation(*each, described) for each in _described(described)]
    return {each.id: each for each in found if each.path.startswith("/api/v1/")}


def agent_fields(operation: Operation) -> list[str]:
    """The fields of the body that name an agent, as the description tells by the names that they refuse."""
    return [name for name, schema in operation.body_fields.items() if "[Uu][Ss][Ee][Rr]" in str(schema)]


def make_world(api: Caller) -> dict[str, str]:
    """Objects of the operations, by their names in paths and bodies."""
    holder = Caller("agent-research-key", HOLDER)

    def made(by: Caller, path: str, body: Any) -> dict[str, Any]:
        response = by.post(path, body)
        assert response.status_code == 201, response.content
        return response.json()  # type: ignore[no-any-return]

    intent = made(api, "/intents", {"title": "Do it", "assign": "ada"})
    path = f"/intents/{intent['id']}"
    other = made(api, "/intents", {"title": "Another"})
    dependent = made(api, "/intents", {"title": "A dependent", "depends_on": [other["id"]]})
    portfolio = made(holder, "/portfolios", {"name": "Launch"})
    member = made(api, "/intents", {"title": "A member"})
    made(holder, f"/portfolios/{portfolio['id']}/intents", {"intent_id": member["id"]})
    subscription = made(holder, f"{path}/subscriptions", {"callback_url": "http://127.0.0.1:9/"})
    channel = made(api, "/channels", BODIES["create_channel"])
    api.send("PUT", f"{path}/retry-policy", {"max_attempts": 3})
    act = {"verb": "deploy", "target": "shop"}
    unleased = f"/intents/{other['id']}"
    permits = [_permit(holder, api, unleased, act) for _ in range(2)]
    made_spent = holder.post(f"/permits/{permits[0]}/spend", {"action": act})
    assert made_spent.status_code == 200, made_spent.content
    return {
        "intent_id": intent["id"],
        "permit_id": permits[1],
        "gate_id": made(api, "/gates", {"verb": "publish"})["id"],
        "spent_permit_id": permits[0],
        "agent_id": "ada",
        "other": other["id"],
        "dependent": dependent["id"],
        "dependency_id": other["id"],
        "member": member["id"],
        "place_id": _place(holder, api, path),
        "lease_id": made(holder, f"{path}/leases", {"scope": "held"})["id"],
        "arbitration_id": made(holder, f"{path}/arbitrate", {"reason": "May I?"})["id"],
        "sent_back_id": _sent_back(holder, api, path),
        "delegation_id": made(api, "/delegations", {"delegate": "eve"})["id"],
        "attachment_id": made(holder, f"{path}/attachments", BODIES["add_attachment"])["id"],
        "subscription_id": subscription["id"],
        "delivery_id": str(_delivery(subscription["id"]).pk),
        "channel_id": channel["id"],
        "notice_id": _notice_of(api, channel),
        "portfolio_id": portfolio["id"],
        "key_id": made(api, "/keys", {"name": "spare", "role": "observer"})["id"],
    }


def _place(holder: Caller, api: Caller, path: str) -> str:
    """A place in the queue for a scope that another agent has."""
    api.post(f"{path}/leases", {"scope": "busy"})
    return holder.post(f"{path}/lease-queue", {"scope": "busy"}).json()["id"]  # type: ignore[no-any-return]


def _permit(holder: Caller, api: Caller, path: str, act: dict[str, str]) -> str:
    asked = holder.post(f"{path}/arbitrate", {"reason": "May I?", "action": act}).json()
    assert api.post(f"{path}/decisions", {"decision": "approve", "arbitration_id": asked["id"]}).status_code == 201
    permits = holder.get(f"{path}/permits").json()["permits"]
    return next(each["id"] for each in permits if each["arbitration_id"] == asked["id"])


def everything() -> dict[str, int | list[Any]]:
    """Each table's number of rows, and what a write would change in the rows that the operations are about."""
    tables = [model for model in apps.get_models() if model._meta.managed]
    counted: dict[str, int | list[Any]] = {model._meta.label: model._default_manager.count() for model in tables}
    for label, columns in (
        ("intents.Intent", ("pk", "version", "last_sequence", "updated_at")),
        ("leasing.Lease", ("pk", "status", "expires_at")),
        ("governance.Arbitration", ("pk", "status")),
        ("governance.Permit", ("pk", "status", "outcome")),
        ("governance.Gate", ("pk", "removed_at")),
        ("governance.Delegation", ("pk", "revoked_at")),
        ("portfolios.Portfolio", ("pk", "status", "description", "updated_at")),
        ("subscriptions.Subscription", ("pk", "status", "event_types", "removed_at")),
        ("subscriptions.Delivery", ("pk", "status", "tries")),
        ("notices.Channel", ("pk", "name", "status", "removed_at")),
        ("notices.Notice", ("pk", "status", "next_attempt_at")),
        ("access.ApiKey", ("pk", "revoked_at")),
    ):
        counted[f"{label}'s columns"] = [*apps.get_model(label).objects.order_by("pk").values_list(*columns)]
    return counted


def _sent_back(holder: Caller, api: Caller, path: str) -> str:
    """A question that waits for information."""
    asked = holder.post(f"{path}/arbitrate", {"reason": "And this?"}).json()
    sent = api.post(f"/arbitrations/{asked['id']}/request-information", BODIES["request_information"])
    assert sent.status_code == 200, sent.json()
    return str(asked["id"])


def _notice_of(api: Caller, channel: dict[str, Any]) -> str:
    response = api.post(f"/channels/{channel['id']}/test")
    assert response.status_code == 201, response.content
    return str(response.json()["id"])


def _delivery(subscription_id: str) -> Delivery:
    positions.assign_pending_positions()
    event = Event.objects.order_by("-row")[0]
    return Delivery.objects.create(
        subscription_id=subscription_id,
        event=event,
        event_type=event.event_type,
        created_at=timezone.now(),
        next_attempt_at=timezone.now(),
    )


def _described(description: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in description["paths"].items():
        for method, operation in methods.items():
            if isinstance(operation, dict) and "operationId" in operation:
                yield path, method.upper(), operation


def _operation(path: str, method: str, operation: dict[str, Any], description: dict[str, Any]) -> Operation:
    content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    schema = content.get("schema", {})
    if "$ref" in schema:
        schema = description["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return Operation(operation["operationId"], method, path, bool(operation.get("security")), schema.get("properties", {}))


def _filled(text: str, world: dict[str, str]) -> str:
    for name, value in world.items():
        text = text.replace(f"{{{name}}}", value)
    return text

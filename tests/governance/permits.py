"""Helpers of tests about permits: an act, the request for it, and what is done with the permit."""

from typing import Any

from tests.conftest import Caller
from tests.governance.conftest import decide, make_arbitration

REFUND = {
    "verb": "payments.refund",
    "target": "order-1042",
    "params": {"amount": 120, "currency": "EUR", "lines": [{"id": 1}]},
    "effect_key": None,
}


def ask(caller: Caller, intent: dict[str, Any], action: dict[str, Any] = REFUND, **fields: Any) -> dict[str, Any]:
    return make_arbitration(caller, intent, action=action, **fields)


def approve(caller: Caller, arbitration: dict[str, Any], decision: str = "approve", **fields: Any) -> Any:
    return decide(caller, {"id": arbitration["intent_id"]}, decision, arbitration_id=arbitration["id"], **fields)


def permits(caller: Caller, intent: dict[str, Any], **query: Any) -> list[dict[str, Any]]:
    return caller.get(f"/intents/{intent['id']}/permits", **query).json()["permits"]  # type: ignore[no-any-return]


def get_permit(
    asker: Caller, decider: Caller, intent: dict[str, Any], action: dict[str, Any] = REFUND, **fields: Any
) -> dict[str, Any]:
    """A live permit for the act."""
    asked = ask(asker, intent, action, **fields)
    response = approve(decider, asked)
    assert response.status_code == 201, response.json()
    return next(each for each in permits(asker, intent) if each["arbitration_id"] == asked["id"])


def spend(caller: Caller, permit: dict[str, Any], action: dict[str, Any] = REFUND, **headers: str) -> Any:
    return caller.post(f"/permits/{permit['id']}/spend", {"action": action}, **headers)


def outcome(caller: Caller, permit: dict[str, Any], value: str, **fields: Any) -> Any:
    return caller.post(f"/permits/{permit['id']}/outcome", {"outcome": value, **fields})


def code(response: Any) -> tuple[int, str]:
    return response.status_code, response.json()["code"]
